import { stat } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { ModelError } from './error.ts'
import { assertFolder, readJsonIfAny } from './json.ts'
import { SafetensorsFile } from './safetensors.ts'

const indexSchema = v.looseObject({ weight_map: v.record(v.string(), v.string()) })

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

  /**
   * A tensor's elements in row-major order.
   *
   * @throws ModelError if there is no such tensor or it does not have this shape
   */
  async read(name: string, shape: readonly number[]): Promise<Float32Array> {
    const file = this.#byTensor.get(name)
    if (!file) throw new ModelError('invalid', `${this.#folder} has no tensor ${name}: its config.json asks for one`)
    const stored = file.shape(name) ?? []
    if (stored.join() !== shape.join())
      throw new ModelError(
        'invalid',
        `${file.path}: ${name} is [${stored.join()}], but config.json asks for [${shape.join()}]`,
      )
    return file.read(name)
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** The paths of a folder's weight files. @throws ModelError if it has none */
export async function weightFiles(folder: string): Promise<string[]> {
  await assertFolder(folder)
  const index = await readJsonIfAny(folder, 'model.safetensors.index.json', indexSchema)
  const names = index ? [...new Set(Object.values(index.weight_map))].toSorted() : ['model.safetensors']
  const files = names.map((name) => path.join(folder, path.basename(name)))
  for (const file of files)
    if (!(await stat(file).catch(() => undefined)))
      throw new ModelError('not_found', `${file} is missing: download the checkpoint's safetensors files`)
  return files
}
