/** What `npm pack` makes, installed as npm would: below `node_modules`, where Node strips no types. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { baseURL, events, script, staged, stopServer, wire } from './server.ts'

const run = promisify(execFile)
const sdk = path.join(import.meta.dirname, '..')
const manifest = () => readFile(path.join(source, 'package.json'), 'utf8')

let app: string
/** A copy: while it is packed its entries lead to `dist`, and other tests read the sources. */
let source: string
let tarball: string
let installed: string
let before: string

beforeAll(async () => {
  app = await mkdtemp(path.join(tmpdir(), 'lookahead-sdk-'))
  source = await copied(path.join(app, 'repository'))
  before = await manifest()
  installed = path.join(app, 'node_modules/@lookahead/sdk')
  await mkdir(installed, { recursive: true })
  await run('npm', ['pack', '--pack-destination', app], { cwd: source })
  tarball = (await readdir(app)).find((file) => file.endsWith('.tgz'))!
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components', '1'], { cwd: app })
  for (const name of Object.keys((JSON.parse(before) as { dependencies: object }).dependencies))
    await cp(path.join(sdk, '../node_modules', name), path.join(app, 'node_modules', name), { recursive: true })
  await writeFile(path.join(app, 'package.json'), '{"type":"module"}')
}, 120_000)

afterAll(async () => {
  stopServer()
  await rm(app, { recursive: true, force: true })
})

/** @returns the sources' folder in a repository of its own */
async function copied(repository: string): Promise<string> {
  const folder = path.join(repository, 'sdk')
  const isSource = (file: string) => !/^(node_modules|dist)\b/.test(path.relative(sdk, file))
  await cp(sdk, folder, { recursive: true, filter: isSource })
  await cp(path.join(sdk, '../tsconfig.base.json'), path.join(repository, 'tsconfig.base.json'))
  await symlink(path.join(sdk, '../node_modules'), path.join(repository, 'node_modules'))
  return folder
}

/** Runs a file of these contents in the app, by the Node at hand. */
async function node(file: string, contents: string): Promise<string> {
  await writeFile(path.join(app, file), contents)
  return (await run(process.execPath, [file], { cwd: app })).stdout.trim()
}

const question = `const run = new Lookahead({ baseURL: '${baseURL}', maxRetries: 0 }).runs.stream({ prompt: 'x' })`

it('holds what it needs and no more, and leaves the sources as they were', async () => {
  expect(await manifest()).toBe(before)
  const files = await readdir(installed, { recursive: true })
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']))
  expect(files.filter((file) => /test|script|tsconfig|\.tgz/.test(file))).toEqual([])
  const maps = files.filter((file) => file.endsWith('.map'))
  expect(maps.length).toBeGreaterThan(10)
  for (const file of maps) {
    const { sources } = JSON.parse(await readFile(path.join(installed, file), 'utf8')) as { sources: string[] }
    expect(files).toContain(path.join(path.dirname(file), sources[0]!))
  }
})

it('has entries that are what they say, with types for all ways of finding them', async () => {
  const { messages } = await publint({ pkgDir: installed, strict: true })
  expect(messages.map((message) => formatMessage(message, JSON.parse(before) as object))).toEqual([])
  const attw = path.join(sdk, '../node_modules/.bin/attw')
  await run(attw, ['--profile', 'esm-only', tarball], { cwd: app }).catch(({ stdout }: { stdout: string }) =>
    expect.fail(stdout),
  )
})

it('asks a question from JavaScript', async () => {
  script(staged([wire(events)]).response)
  const contents = `import { Lookahead } from '@lookahead/sdk'
    import { RunEvent } from '@lookahead/sdk/protocol'
    ${question}
    console.log((await run.final()).answer, RunEvent.type)`
  expect(await node('main.js', contents)).toBe('The answer is 42. variant')
})

it('has a provider for the AI SDK and a hook for React, for those who have these', async () => {
  for (const file of ['ai-sdk', 'react'])
    await expect(node('peerless.js', `await import('@lookahead/sdk/${file}')`)).rejects.toThrow('ERR_MODULE_NOT_FOUND')
  for (const name of ['@ai-sdk/provider', 'json-schema', 'react'])
    await cp(path.join(sdk, '../node_modules', name), path.join(app, 'node_modules', name), { recursive: true })
  const contents = `import { createLookahead } from '@lookahead/sdk/ai-sdk'
    import { useRun } from '@lookahead/sdk/react'
    console.log(createLookahead({ baseURL: '${baseURL}' })().specificationVersion, useRun.name)`
  expect(await node('peers.js', contents)).toBe('v4 useRun')
})

it('can be required', async () => {
  script(staged([wire(events)]).response)
  const contents = `const { Lookahead } = require('@lookahead/sdk')
    ${question}
    run.final().then(({ answer }) => console.log(answer))`
  expect(await node('main.cjs', contents)).toBe('The answer is 42.')
})

it('has types, whichever way TypeScript finds modules', async () => {
  const contents = `import { Lookahead, LookaheadError } from '@lookahead/sdk'
    import type { RunResult } from '@lookahead/sdk'
    import { RunEvent } from '@lookahead/sdk/protocol'
    ${question}
    const result: RunResult = await run.final()
    for await (const { channel } of run.textStream) channel satisfies 'reasoning' | 'answer' | (string & {})
    // @ts-expect-error: no such option
    new Lookahead({ baseURL: '', apikey: '' })
    export const told = (error: unknown) => LookaheadError.isInstance(error) && error.kind === 'api' && error.status
    export { RunEvent, result }`
  await writeFile(path.join(app, 'types.ts'), contents)
  const tsc = path.join(sdk, '../node_modules/.bin/tsc')
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    const flags = ['--module', module, '--moduleResolution', resolution, '--target', 'es2022', '--lib', 'es2023,dom']
    await run(tsc, ['--noEmit', '--strict', '--types', '', ...flags, 'types.ts'], { cwd: app }).catch(
      ({ stdout }: { stdout: string }) => expect.fail(stdout),
    )
  }
})

it('can be bundled for browsers', async () => {
  await writeFile(path.join(app, 'page.js'), `export { Lookahead } from '@lookahead/sdk'`)
  const options = { bundle: true, format: 'esm', platform: 'browser', write: false, metafile: true } as const
  const { metafile } = await build({ entryPoints: [path.join(app, 'page.js')], absWorkingDir: app, ...options })
  expect(Object.keys(metafile.inputs)).toContain('node_modules/@lookahead/sdk/dist/client.js')
  expect(Object.keys(metafile.inputs)).not.toContain('node_modules/@lookahead/sdk/dist/protocol/backend.js')
})
