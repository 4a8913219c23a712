import { open, type FileHandle } from 'node:fs/promises'
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { ModelError } from './error.ts'
import { isStoredType, storedBytes, toFloat32, type StoredType } from './floats.ts'
import { parseJson } from './json.ts'

/** The format's own limit (https://github.com/huggingface/safetensors). */
const maxHeaderBytes = 100_000_000

/** A tensor is read in pieces of about this size, so that memory does not grow with the model. */
const pieceBytes = 4 * 2 ** 20

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const entrySchema = v.object({ dtype: v.string(), shape: v.array(size), data_offsets: v.tuple([size, size]) })
const headerSchema = dictionary(v.unknown())

/** Some rows of a tensor: of its first dimension. */
export interface Rows {
  from: number
  count: number
}

interface Entry {
  /** Perhaps one that cannot be read, of a tensor that no model uses. */
  type: string
  shape: readonly number[]
  /** First byte in the file. */
  offset: number
  bytes: number
}

/** One .safetensors file, read tensor by tensor: u64 header length, JSON header, data. */
export class SafetensorsFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #entries: ReadonlyMap<string, Entry>

  private constructor(path: string, handle: FileHandle, entries: ReadonlyMap<string, Entry>) {
    this.path = path
    this.#handle = handle
    this.#entries = entries
  }

  /** @throws ModelError if the file is missing or its header is broken */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await open(path).catch((cause: unknown) => {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT')
        throw new ModelError('not_found', `there is no ${path}: download the checkpoint again`, { cause })
      throw new ModelError('invalid', `${path} cannot be opened: ${message}`, { cause })
    })
    try {
      return new SafetensorsFile(path, handle, await readHeader(path, handle))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get names(): IterableIterator<string> {
    return this.#entries.keys()
  }

  shape(name: string): readonly number[] | undefined {
    return this.#entries.get(name)?.shape
  }

  /** @throws ModelError if there is no such tensor, or it is of a type this engine cannot read */
  assertTensor(name: string): void {
    this.#entry(name)
  }

  /** A tensor's elements in row-major order. @throws ModelError as `assertTensor`, and if the file was cut short */
  async read(name: string): Promise<Float32Array> {
    const { type, bytes } = this.#entry(name)
    const elements = new Float32Array(bytes / storedBytes[type])
    let filled = 0
    for await (const piece of this.pieces(name)) {
      elements.set(piece, filled)
      filled += piece.length
    }
    return elements
  }

  /**
   * As `read`, but in pieces of whole rows (of the first dimension): about 4 MiB of the file at a time.
   * @param rows default: all
   */
  async *pieces(name: string, rows?: Rows): AsyncGenerator<Float32Array> {
    const { type, shape, offset, bytes } = this.#entry(name)
    const rowBytes = bytes / (shape[0] ?? 1)
    const step = Math.max(Math.floor(pieceBytes / rowBytes), 1) * rowBytes
    const start = (rows?.from ?? 0) * rowBytes
    const end = rows ? start + rows.count * rowBytes : bytes
    for (let at = start; at < end; at += step) {
      const piece = await readBytes(this.path, this.#handle, offset + at, Math.min(step, end - at))
      yield toFloat32(type, piece)
    }
  }

  #entry(name: string): Entry & { type: StoredType } {
    const entry = this.#entries.get(name)
    if (!entry) throw new ModelError('invalid', `${this.path} has no tensor ${name}`)
    const { type } = entry
    if (!isStoredType(type))
      throw new ModelError('unsupported', `${this.path}: tensor ${name} is ${type}; only F32, F16 and BF16 can be read`)
    return { ...entry, type }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

async function readHeader(path: string, handle: FileHandle): Promise<Map<string, Entry>> {
  const fileBytes = (await handle.stat()).size
  const prefix = await readBytes(path, handle, 0, 8)
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true))
  const dataBytes = fileBytes - 8 - headerBytes
  if (headerBytes > maxHeaderBytes || dataBytes < 0) throw broken(path, `a header of ${headerBytes} bytes does not fit`)
  const text = new TextDecoder().decode(await readBytes(path, handle, 8, headerBytes))
  const header = parseJson(text, `the header of ${path}`, headerSchema)
  const entries = new Map<string, Entry>()
  for (const [name, value] of header) {
    if (name === '__metadata__') continue
    const parsed = v.safeParse(entrySchema, value)
    if (!parsed.success) throw broken(path, `tensor ${name}: ${parsed.issues[0].message}`)
    const { dtype: type, shape, data_offsets } = parsed.output
    const [from, to] = data_offsets
    const bytes = isStoredType(type) ? shape.reduce((product, n) => product * n, storedBytes[type]) : to - from
    if (from > to || to > dataBytes || to - from !== bytes) throw broken(path, `tensor ${name} is not within the file`)
    entries.set(name, { type, shape, offset: 8 + headerBytes + from, bytes })
  }
  return entries
}

async function readBytes(
  path: string,
  handle: FileHandle,
  offset: number,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(bytes)
  let filled = 0
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, offset + filled)
    if (bytesRead === 0) throw broken(path, `it ends at byte ${offset + filled}`)
    filled += bytesRead
  }
  return buffer
}

function broken(path: string, reason: string): ModelError {
  return new ModelError('invalid', `${path} is broken (${reason}): download the checkpoint again`)
}
