/** The stored types this engine reads, with their sizes in bytes. */
export const storedBytes = { F32: 4, F16: 2, BF16: 2 } as const
export type StoredType = keyof typeof storedBytes
export const isStoredType = (type: string): type is StoredType => Object.hasOwn(storedBytes, type)

/** The bits of the nearest bfloat16 numbers, the even one of two. */
export function toBfloat16(floats: Float32Array): Uint16Array {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  const halves = new Uint16Array(floats.length)
  for (let i = 0; i < bits.length; i++) halves[i] = (bits[i]! + 0x7fff + ((bits[i]! >>> 16) & 1)) >>> 16
  return halves
}

/** Converts little-endian numbers to float32. `bytes` must begin at a multiple of the type's size in its buffer. */
export function toFloat32(type: StoredType, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const count = bytes.byteLength / storedBytes[type]
  if (type === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, count)
  if (type === 'F16') return new Float32Array(new Float16Array(bytes.buffer, bytes.byteOffset, count))
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count)
  const floats = new Uint32Array(count)
  // A loop, because `from` with a function takes several times as long, and models have billions of these.
  for (let i = 0; i < count; i++) floats[i] = halves[i]! << 16
  return new Float32Array(floats.buffer)
}
