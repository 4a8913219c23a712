import { stat } from 'node:fs/promises'
import path from 'node:path'
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { ModelError } from './error.ts'
import { assertFolder, readJsonIfAny } from './json.ts'
import { SafetensorsFile, type Rows } from './safetensors.ts'

const indexSchema = v.object({ weight_map: dictionary(v.string()) })

/** The weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` lists. */
export class Checkpoint {
  readonly #files: readonly SafetensorsFile[]
  readonly #byTensor: ReadonlyMap<string, SafetensorsFile>
  readonly #folder: string

  private constructor(folder: string, files: readonly SafetensorsFile[]) {
    this.#folder = folder
    this.#files = files
    this.#byTensor = new Map(files.flatMap((file) => [...file.names].map((name) => [name, file] as const)))
  }

  /** @throws ModelError if a file is missing or broken */
  static async open(folder: string): Promise<Checkpoint> {
    const files: SafetensorsFile[] = []
    try {
      for (const file of await weightFiles(folder)) files.push(await SafetensorsFile.open(file))
    } catch (error) {
      await Promise.all(files.map((file) => file.close()))
      throw error
    }
    return new Checkpoint(folder, files)
  }

  has(name: string): boolean {
    return this.#byTensor.has(name)
  }

  /**
   * A tensor's elements in row-major order.
   *
   * @throws ModelError if there is no such tensor, it does not have this shape, or is of a type that cannot be read
   */
  async read(name: string, shape: readonly number[]): Promise<Float32Array> {
    return this.#file(name, shape).read(name)
  }

  /** As `read`, but in pieces of whole rows, of a size that does not grow with the tensor. @param rows default: all */
  pieces(name: string, shape: readonly number[], rows?: Rows): AsyncGenerator<Float32Array> {
    return this.#file(name, shape).pieces(name, rows)
  }

  /** @throws ModelError if there is no such tensor, it does not have this shape, or is of a type that cannot be read */
  assertTensor(name: string, shape: readonly number[]): void {
    this.#file(name, shape)
  }

  #file(name: string, shape: readonly number[]): SafetensorsFile {
    const file = this.#byTensor.get(name)
    if (!file) throw new ModelError('invalid', `${this.#folder} has no tensor ${name}: its config.json asks for one`)
    const stored = file.shape(name) ?? []
    if (stored.join() !== shape.join())
      throw new ModelError(
        'invalid',
        `${file.path}: ${name} is [${stored.join()}], but config.json asks for [${shape.join()}]`,
      )
    file.assertTensor(name)
    return file
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** The names of a checkpoint's weight files, which need not be there yet. @throws ModelError if its index is broken */
export async function weightNames(folder: string): Promise<string[]> {
  await assertFolder(folder)
  const index = await readJsonIfAny(folder, 'model.safetensors.index.json', indexSchema)
  const names = index ? [...index.weight_map.values()] : ['model.safetensors']
  return [...new Set(names.map((name) => path.basename(name)))].toSorted()
}

/** The paths of a folder's weight files. @throws ModelError if one is missing */
export async function weightFiles(folder: string): Promise<string[]> {
  const files = (await weightNames(folder)).map((name) => path.join(folder, name))
  for (const file of files)
    if (!(await stat(file).catch(() => undefined)))
      throw new ModelError('not_found', `${file} is missing: download the checkpoint's safetensors files`)
  return files
}
