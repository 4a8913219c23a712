/**
 * `npm run pack:cli -- [folder]`: makes `lookahead-reasoning-VERSION.tgz`, the command as others install it: JavaScript, since Node strips no types
 * below `node_modules`, with the demo models, and what of this repository it needs inside.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import root from '../../package.json' with { type: 'json' }
import packageJson from '../package.json' with { type: 'json' }

const from = path.join(import.meta.dirname, '..')
const destination = path.resolve(process.argv[2] ?? '.')
const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-pack-'))

const ours = (name: string) => name.startsWith('@lookahead/')
const dependencies = Object.fromEntries(Object.entries(packageJson.dependencies).filter(([name]) => !ours(name)))
const { name: _, private: __, scripts: ___, exports: ____, devDependencies: _____, bin: ______, ...same } = packageJson

try {
  await build({
    entryPoints: [path.join(from, 'src/cli.ts'), path.join(from, 'src/tokenizer/thread-task.ts')],
    outdir: path.join(folder, 'dist'),
    // What a command does is loaded when it is asked for; all in one folder, where the thread is looked for.
    entryNames: '[name]',
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: Object.keys(dependencies),
    logLevel: 'warning',
  })
  mkdirSync(path.join(folder, 'bin'))
  const launcher = readFileSync(path.join(from, 'bin/lookahead.js'), 'utf8')
  writeFileSync(path.join(folder, 'bin/lookahead.js'), launcher.replace('../src/cli.ts', '../dist/cli.js'), {
    mode: 0o755,
  })
  for (const file of ['models/target', 'models/draft', 'models/judge', 'LICENSE'])
    cpSync(path.join(from, file), path.join(folder, file), { recursive: true })
  cpSync(path.join(from, 'scripts/pack-readme.md'), path.join(folder, 'README.md'))
  const manifest = {
    name: 'lookahead-reasoning',
    ...same,
    bin: { lookahead: 'bin/lookahead.js', 'lookahead-reasoning': 'bin/lookahead.js' },
    files: ['bin', 'dist', 'models'],
    // For those whose own Node is older: bin/lookahead.js.
    dependencies: { ...dependencies, node: root.devDependencies.node },
    engines: { node: '>=20' },
  }
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  mkdirSync(destination, { recursive: true })
  const name = execFileSync('npm', ['pack', '--silent', '--pack-destination', destination], {
    cwd: folder,
    encoding: 'utf8',
  })
  console.log(path.join(destination, name.trim()))
} finally {
  rmSync(folder, { recursive: true })
}
