/** Writes GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), the file format of llama.cpp. */
import { open, type FileHandle } from 'node:fs/promises'

export const tensorTypes = ['f32', 'f16', 'q8_0'] as const
export type TensorType = (typeof tensorTypes)[number]

export type MetadataValue =
  | readonly ['string', string]
  | readonly ['bool', boolean]
  | readonly ['uint32' | 'float32', number]
  | readonly ['strings', readonly string[]]
  | readonly ['int32s', readonly number[]]

export interface GgufTensor {
  name: string
  /** Outermost first, as checkpoints have it; the file has it the other way round. */
  shape: readonly number[]
  type: TensorType
  /** Row-major elements. */
  read: () => Promise<Float32Array>
}

const version = 3
/** Each tensor begins at a multiple of this many bytes after the header (general.alignment's default). */
const alignment = 32
const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const

/** Elements of a row that share a scale in q8_0. */
const blockSize = 32

/** By ggml's numbers; blocks of `block` elements are `bytes` long. */
const layouts = {
  f32: { number: 0, block: 1, bytes: 4 },
  f16: { number: 1, block: 1, bytes: 2 },
  q8_0: { number: 8, block: blockSize, bytes: 2 + blockSize },
} as const

/** @throws RangeError if a q8_0 tensor's rows are not whole blocks */
export async function writeGguf(
  path: string,
  metadata: Readonly<Record<string, MetadataValue>>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const header = new Bytes()
  header.text('GGUF')
  header.uint32(version)
  header.uint64(tensors.length)
  header.uint64(Object.keys(metadata).length)
  for (const [key, value] of Object.entries(metadata)) {
    header.string(key)
    writeValue(header, value)
  }
  let end = 0
  for (const tensor of tensors) {
    header.string(tensor.name)
    header.uint32(tensor.shape.length)
    for (const size of tensor.shape.toReversed()) header.uint64(size)
    header.uint32(layouts[tensor.type].number)
    header.uint64(end)
    end = aligned(end + byteLength(tensor))
  }
  await using file = await open(path, 'w')
  let at = await append(file, header.take(), 0)
  for (const tensor of tensors) at = await append(file, encode(tensor.type, await tensor.read()), at)
}

function writeValue(bytes: Bytes, value: MetadataValue): void {
  const [type, content] = value
  if (type === 'strings' || type === 'int32s') {
    bytes.uint32(valueTypes.array)
    bytes.uint32(type === 'strings' ? valueTypes.string : valueTypes.int32)
    bytes.uint64(content.length)
    for (const item of content)
      if (typeof item === 'string') bytes.string(item)
      else bytes.uint32(item)
    return
  }
  bytes.uint32(valueTypes[type])
  if (type === 'string') bytes.string(content)
  else if (type === 'bool') bytes.uint8(content ? 1 : 0)
  else if (type === 'uint32') bytes.uint32(content)
  else bytes.float32(content)
}

function byteLength({ name, shape, type }: GgufTensor): number {
  const { block, bytes } = layouts[type]
  if (shape.at(-1)! % block !== 0)
    throw new RangeError(`${name}: rows of ${shape.at(-1)} are not whole blocks of ${block}`)
  return (shape.reduce((product, size) => product * size, 1) / block) * bytes
}

function encode(type: TensorType, elements: Float32Array): Uint8Array {
  if (type === 'q8_0') return quantised(elements)
  const encoded = type === 'f16' ? Float16Array.from(elements) : elements
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength)
}

/** Blocks of a float16 scale and 32 signed bytes: element ≈ scale · byte. */
function quantised(elements: Float32Array): Uint8Array {
  const { bytes } = layouts.q8_0
  const data = new Uint8Array((elements.length / blockSize) * bytes)
  const view = new DataView(data.buffer)
  for (let from = 0, at = 0; from < elements.length; from += blockSize, at += bytes) {
    const block = elements.subarray(from, from + blockSize)
    const scale = block.reduce((most, element) => Math.max(most, Math.abs(element)), 0) / 127
    view.setFloat16(at, scale, true)
    for (const [i, element] of block.entries()) view.setInt8(at + 2 + i, scale === 0 ? 0 : Math.round(element / scale))
  }
  return data
}

/** @returns where the next tensor begins */
async function append(file: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
  const padded = new Uint8Array(aligned(bytes.length))
  padded.set(bytes)
  for (let done = 0; done < padded.length;)
    done += (await file.write(padded, done, padded.length - done, at + done)).bytesWritten
  return at + padded.length
}

const aligned = (offset: number) => Math.ceil(offset / alignment) * alignment

/** Little-endian numbers and strings, one after another. */
class Bytes {
  readonly #parts: Uint8Array[] = []

  uint8(value: number): void {
    this.#parts.push(Uint8Array.of(value))
  }

  /** Also for int32: the bits of a negative number are the same. */
  uint32(value: number): void {
    this.#parts.push(new Uint8Array(Uint32Array.of(value).buffer))
  }

  uint64(value: number): void {
    this.#parts.push(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer))
  }

  float32(value: number): void {
    this.#parts.push(new Uint8Array(Float32Array.of(value).buffer))
  }

  text(value: string): void {
    this.#parts.push(new TextEncoder().encode(value))
  }

  string(value: string): void {
    const bytes = new TextEncoder().encode(value)
    this.uint64(bytes.length)
    this.#parts.push(bytes)
  }

  take(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}
