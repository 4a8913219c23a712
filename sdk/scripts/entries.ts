/**
 * Turns the manifest's entries to `dist`, which is what npm packs, or back to `src`, which is what runs in this
 * repository: Node strips types, but not below `node_modules`. npm has no manifest of its own for publishing; it reads
 * the one there is while it packs, between `prepack` and `postpack`.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package.json', import.meta.url)
const text = readFileSync(file, 'utf8')

const turned =
  process.argv[2] === 'dist'
    ? text.replaceAll(/"\.\/src\/(.+)\.ts"/g, '"./dist/$1.js"')
    : text.replaceAll(/"\.\/dist\/(.+)\.js"/g, '"./src/$1.ts"')
writeFileSync(file, turned)
