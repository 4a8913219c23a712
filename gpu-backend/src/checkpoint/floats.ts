/** The stored types this engine reads, with their sizes in bytes. */
export const storedBytes = { F32: 4, F16: 2, BF16: 2 } as const
export type StoredType = keyof typeof storedBytes

/** Converts little-endian numbers to float32. `bytes` must begin at a multiple of the type's size in its buffer. */
export function toFloat32(type: StoredType, bytes: Uint8Array): Float32Array {
  const count = bytes.byteLength / storedBytes[type]
  if (type === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, count)
  const stored = new Uint16Array(bytes.buffer, bytes.byteOffset, count)
  if (type === 'BF16') return new Float32Array(Uint32Array.from(stored, (bits) => bits << 16).buffer)
  const values = halves()
  return Float32Array.from(stored, (bits) => values[bits]!)
}

let halfValues: Float32Array | undefined

/** Every float16 by its bits. */
function halves(): Float32Array {
  return (halfValues ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => half(bits)))
}

function half(bits: number): number {
  const sign = bits >> 15 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = (bits & 1023) / 1024
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15))
}
