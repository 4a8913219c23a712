/** Writes what `npm publish sdk/dist` needs beside the compiled sources: a manifest that points at them, README and licence. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'

interface Manifest {
  exports: Record<string, string>
  scripts?: unknown
  devDependencies?: unknown
  [field: string]: unknown
}

const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)

const {
  scripts: _,
  devDependencies: __,
  ...manifest
} = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Manifest

const compiled = (path: string) => path.replace('./src/', './').replace(/\.ts$/, '.js')
manifest.exports = Object.fromEntries(Object.entries(manifest.exports).map(([entry, path]) => [entry, compiled(path)]))

writeFileSync(new URL('package.json', dist), `${JSON.stringify(manifest, null, 2)}\n`)
for (const file of ['README.md', 'LICENSE']) copyFileSync(new URL(file, root), new URL(file, dist))
