import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { ModelError } from './error.ts'

/** @throws ModelError if `folder` is not a folder */
export async function assertFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory())
    throw new ModelError('not_found', `${folder} is not a folder: name one that holds a Hugging Face checkpoint`)
}

/**
 * A text file of a model folder; undefined if there is none.
 *
 * @throws ModelError if it cannot be read
 */
export async function readTextIfAny(folder: string, name: string): Promise<string | undefined> {
  const file = path.join(folder, name)
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ModelError('invalid', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/**
 * A JSON file of a model folder, checked against a schema; undefined if there is none.
 *
 * @throws ModelError if it is not JSON, or not what the schema asks for
 */
export async function readJsonIfAny<S extends v.GenericSchema>(
  folder: string,
  name: string,
  schema: S,
): Promise<v.InferOutput<S> | undefined> {
  const text = await readTextIfAny(folder, name)
  return text === undefined ? undefined : parseJson(text, path.join(folder, name), schema)
}

/**
 * As readJsonIfAny, for a file that must be there.
 *
 * @throws ModelError also if the folder or the file is missing
 */
export async function readJson<S extends v.GenericSchema>(
  folder: string,
  name: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  await assertFolder(folder)
  const value = await readJsonIfAny(folder, name, schema)
  if (value === undefined)
    throw new ModelError('not_found', `${folder} has no ${name}: name a folder that holds a Hugging Face checkpoint`)
  return value
}

/** @throws ModelError naming `source` and the first thing that is wrong in it */
export function parseJson<S extends v.GenericSchema>(text: string, source: string, schema: S): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ModelError('invalid', `${source} is not JSON: download the checkpoint again`, { cause })
  }
  return check(value, source, schema)
}

/** @throws ModelError naming `source` and the first thing that is wrong in it */
export function check<S extends v.GenericSchema>(value: unknown, source: string, schema: S): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  throw new ModelError('invalid', `${source} is not valid at ${v.getDotPath(issue) ?? 'its top'}: ${issue.message}`)
}
