import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { commit, LocalHub } from './hub/local-hub.ts'
import { cudaProblem } from './onnxruntime/index.ts'

const cli = fileURLToPath(new URL('cli.ts', import.meta.url))
const tiny = fileURLToPath(new URL('../fixtures/tiny-qwen3', import.meta.url))
const models = fileURLToPath(new URL('../models', import.meta.url))

const lookahead = (...args: string[]) => run({}, ...args)

function run(env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)))
  const exit = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, ...output })),
  )
  return { child, output, exit }
}

test('a model folder that is missing or broken is one clear line and exit code 1', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const refusal = async (where: string) => {
    const { code, stdout, stderr } = await lookahead('serve', '--port', '0', '--models', where).exit
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    return stderr
  }
  expect(await refusal(path.join(folder, 'nothing'))).toMatch(/^lookahead: no model folder at .*nothing.*\n$/)
  expect(await refusal(folder)).toMatch(/^lookahead: .*target is not a folder.*\n$/)
  for (const role of ['target', 'draft', 'judge']) {
    const weights = path.join(folder, role, 'model.safetensors')
    await cp(path.join(models, role === 'judge' ? role : 'draft'), path.dirname(weights), { recursive: true })
    const whole = await readFile(weights)
    await truncate(weights, 5000)
    expect(await refusal(folder)).toMatch(new RegExp(`^lookahead: .*${role}/model\\.safetensors is broken.*\\n$`))
    await writeFile(weights, whole)
  }
})

test('without a draft it serves, and says in a line what is missing and what follows', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
  const { child, output, exit } = lookahead('serve', '--port', '0', '--models', folder)
  await expect.poll(() => output.stdout).toContain('listening on')
  expect(output.stdout).toMatch(
    new RegExp(`^lookahead: no draft, for there is no ${folder}/draft: .*lookahead.*$`, 'm'),
  )
  child.kill('SIGTERM')
  expect((await exit).code).toBe(0)
})

test("a folder of one's own without ONNX Runtime is one clear line and exit code 1", async () => {
  const { code, stderr } = await run({ LOOKAHEAD_ONNXRUNTIME: '/nowhere' }, 'serve', '--port', '0').exit
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lookahead: there is no \/nowhere\/.+LOOKAHEAD_ONNXRUNTIME.*\n$/)
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  for (const name of ['libonnxruntime.so.1', 'libonnxruntime.1.dylib', 'onnxruntime.dll'])
    await writeFile(path.join(folder, name), 'no library')
  const broken = await run({ LOOKAHEAD_ONNXRUNTIME: folder }, 'serve', '--port', '0').exit
  await rm(folder, { recursive: true })
  expect(broken.code).toBe(1)
  expect(broken.stderr).toMatch(/^lookahead: .+ cannot be loaded: .+LOOKAHEAD_ONNXRUNTIME.*\n$/)
})

test.skipIf(cudaProblem() === undefined)(
  'without CUDA, auto says so in a line, and asking for it is an error',
  async () => {
    const { child, output, exit } = lookahead('serve', '--port', '0', '--models', models)
    await expect.poll(() => output.stdout).toContain('listening on')
    expect(output.stdout).toMatch(
      /^(lookahead: (target|draft|judge): [\d,]+ parameters in fp32, [\d,]+ slots\n){3}lookahead: forwards run on the CPU, not on CUDA: .*\nlookahead backend listening on .*\n$/,
    )
    child.kill('SIGTERM')
    expect((await exit).code).toBe(0)
    expect(await lookahead('serve', '--port', '0', '--device', 'cuda').exit).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lookahead: --device cuda: .*\n$/),
    })
  },
)

test('wrong flags and commands are one clear line; help is help', async () => {
  expect(await lookahead('serve', '--port', 'many').exit).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^lookahead: .*--port .*\n$/),
  })
  expect(await lookahead('sevre').exit).toMatchObject({ code: 2, stderr: expect.stringContaining('sevre') })
  for (const args of [
    ['pull'],
    ['pull', 'tiny'],
    ['pull', 'org/tiny', '--too', 'x'],
    ['build', 'a', 'b'],
    ['build', tiny, '--weights', 'int3'],
    ['build', tiny, '--memory='],
    ['key', 'two words'],
    ['key', '--runs', '0'],
  ]) {
    const { code, stderr } = await lookahead(...args).exit
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^lookahead: .+\n$/) })
  }
  for (const [args, text] of [
    [['--help'], 'build'],
    [['--version'], packageJson.version],
    [['serve', '--help'], 'LOOKAHEAD_PORT'],
    [['pull', '--help'], 'HF_ENDPOINT'],
    [['build', '--help'], '--weights'],
  ] as const)
    expect(await lookahead(...args).exit).toMatchObject({ code: 0, stdout: expect.stringContaining(text) })
})

test('flags may stand in a file, and those that are typed go before it; an open host without a token is warned of', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'lookahead.json')
  const config = { host: '0.0.0.0', port: 'many', slots: 512, judge: 'none', 'batch-tokens': 64, cors: ['http://a.b'] }
  await writeFile(file, JSON.stringify(config))
  const { child, output, exit } = lookahead('serve', '--config', file, '--port', '0')
  await expect.poll(() => output.stdout).toContain('listening on http://0.0.0.0')
  expect(output.stdout).toMatch(/target: .* 512 slots\n/)
  expect(output.stdout).toContain('no judge')
  expect(output.stderr).toMatch(/^lookahead: anybody who reaches 0\.0\.0\.0 .*--token.*\n$/)
  child.kill('SIGTERM')
  expect((await exit).code).toBe(0)

  for (const [contents, told] of [
    [JSON.stringify(config), /"port" cannot be "many"/],
    ['{"speed":1}', /no flag --speed/],
    ['{"constructor":1}', /no flag --constructor/],
    ['port: 1', /must be JSON/],
  ] as const) {
    await writeFile(file, contents)
    const { code, stderr } = await lookahead('serve', '--config', file).exit
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(told) })
    expect(stderr).toMatch(/^lookahead: .+\n$/)
  }
})

test('a key for a client comes with the hash by which the worker knows it, and is another every time', async () => {
  const made = async () =>
    JSON.parse((await lookahead('key', 'app', '--runs', '2', '--tokens', '50', '--json').exit).stdout) as Key
  type Key = { key: string; hash: string; entry: string }
  const [one, other] = await Promise.all([made(), made()])
  expect(one.key).toMatch(/^lk_[\w-]{43}$/)
  expect(one.key).not.toBe(other.key)
  expect(createHash('sha256').update(one.key).digest('hex')).toBe(one.hash)
  expect(one.entry).toBe(`app:${one.hash}:runs=2,tokens=50`)
})

test('a pull that Ctrl-C stopped goes on where it stopped; what came can be built', async () => {
  await using hub = await LocalHub.start(tiny)
  const root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  try {
    const folder = path.join(root, 'model')
    const env = { HF_ENDPOINT: hub.url, HF_TOKEN: '', LOOKAHEAD_CACHE: path.join(root, 'cache') }
    const [shard, held] = ['model-00001-of-00002.safetensors', 10_000]
    hub.hold = { path: shard, bytes: held }
    const stopped = run(env, 'pull', 'org/tiny', '--to', folder)
    const part = path.join(folder, '.pull', commit, `${shard}.part`)
    await expect.poll(async () => (await stat(part).catch(() => undefined))?.size).toBe(held)
    stopped.child.kill('SIGINT')
    expect(await stopped.exit).toMatchObject({ code: 130, stderr: expect.stringMatching(/^lookahead: stopped.*\n$/) })
    expect(await readdir(folder)).toEqual(['.pull'])

    hub.hold = undefined
    hub.reads.length = 0
    const pulled = await run(env, 'pull', 'org/tiny', '--to', folder).exit
    expect(pulled).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`is in ${folder}`) })
    expect(hub.reads).toContain(`${shard} from ${held}`)
    expect(hub.reads).not.toContain(shard)

    const built = await run(env, 'build', folder, '--weights', 'int8', '--memory', '1').exit
    expect(built).toMatchObject({ code: 0, stderr: '' })
    // 2 layers of keys and values of 2 heads of 16 numbers of 4 bytes: 512 bytes a token, 2048 of them in 1 MiB.
    for (const line of [/qwen3: 2 layers of width 32/, /as int8/, /^a slot +512 bytes/m, /^slots +2,048 in 1 MiB/m])
      expect(built.stdout).toMatch(line)
    expect(await readdir(path.join(root, 'cache/graphs'))).toHaveLength(1)
  } finally {
    await rm(root, { recursive: true })
  }
})

test('what the hub refuses is one clear line and exit code 1', async () => {
  await using hub = await LocalHub.start(tiny)
  const refused = async (env: Record<string, string>, ...args: string[]) => {
    const { code, stdout, stderr } = await run({ HF_ENDPOINT: hub.url, HF_TOKEN: '', ...env }, 'pull', ...args).exit
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^lookahead: .+\n$/)
    return stderr
  }
  expect(await refused({}, 'org/none')).toContain('org/none')
  expect(await refused({}, 'org/tiny', '--revision', 'v9')).toContain('v9')
  expect(await refused({ HF_TOKEN: 'secret' }, 'org/tiny')).toContain('hf_')
  hub.token = 'hf_secret'
  expect(await refused({ HF_TOKEN: 'hf_other' }, 'org/tiny')).toContain('HF_TOKEN')
})

test('stopped while it builds graphs, it leaves no part of one behind', async () => {
  const cache = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  try {
    const { child, exit } = run({ LOOKAHEAD_CACHE: cache }, 'serve', '--port', '0')
    const parts = async () => {
      const names = await readdir(cache, { recursive: true })
      return names.filter((name) => path.basename(name).includes('.') && !/[.](onnx|bin)$/.test(name))
    }
    await expect.poll(parts, { interval: 1 }).toHaveLength(1)
    child.kill('SIGTERM')
    expect(await exit).toMatchObject({
      code: 143,
      stdout: '',
      stderr: expect.stringMatching(/^lookahead: stopped.*\n$/),
    })
    expect(await parts()).toEqual([])
  } finally {
    await rm(cache, { recursive: true })
  }
})

test('serves until it is asked to stop, then leaves with code 0', async () => {
  const { child, output, exit } = lookahead('serve', '--port', '0')
  await expect.poll(() => output.stdout).toContain('listening on')
  const url = /listening on (\S+)/.exec(output.stdout)![1]!
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok' })
  child.kill('SIGTERM')
  expect(await exit).toMatchObject({ code: 0, stderr: '' })
})
