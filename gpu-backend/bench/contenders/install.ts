/** The other runtimes are a gigabyte, so the project's own `npm ci` leaves them out; the benchmark installs them here. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'

const folder = import.meta.dirname
const wantedSchema = v.object({ dependencies: dictionary(v.string()) })
const foundSchema = v.object({ version: v.string() })

/** Whether the versions that package.json names are there. */
export function installed(): boolean {
  const read = (...names: string[]): unknown =>
    JSON.parse(readFileSync(path.join(folder, ...names, 'package.json'), 'utf8'))
  const { dependencies } = v.parse(wantedSchema, read())
  try {
    return [...dependencies].every(
      ([name, version]) => v.parse(foundSchema, read('node_modules', name)).version === version,
    )
  } catch {
    return false
  }
}

/** Install scripts stay off: the packages bring prebuilt binaries. @throws Error if npm fails */
export async function install(): Promise<void> {
  console.error('Installing transformers.js and node-llama-cpp for the comparison (about 1.2 GB, once) …')
  const npm = spawn('npm', ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  const [status] = (await once(npm, 'exit')) as [number | null]
  if (status !== 0) throw new Error('npm could not install it: check the network, then run the benchmark again')
}

/** A package of this folder by name, which TypeScript is not to look up. */
export async function load<Package>(name: string): Promise<Package> {
  return (await import(name)) as Package
}
