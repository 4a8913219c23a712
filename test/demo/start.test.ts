import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { run, start } from './run.ts'

const free = ['--port', '0', '--backend-port', '0']

test('serves until Ctrl-C, then ends quietly and leaves nothing', async () => {
  const { child, output, exit, processes } = run('start.ts', ...free)
  await expect.poll(() => output.stdout).toContain('Ctrl-C')
  const [, workerURL] = /^worker +(\S+)$/m.exec(output.stdout)!
  expect((await fetch(`${workerURL}/health`)).status).toBe(200)
  const { stderr } = output
  child.kill('SIGINT')
  expect(await exit).toBe(130)
  expect(output.stderr).toBe(stderr)
  expect(await processes()).toEqual([])
})

test.each(['backend', 'workerd'])('Ctrl-C while it starts (%s) ends it quietly and leaves nothing', async (part) => {
  const { child, output, exit, processes } = run('start.ts', ...free)
  const pattern = part === 'backend' ? /cli\.ts serve/ : /workerd serve/
  await expect.poll(async () => (await processes()).some((line) => pattern.test(line)), { interval: 5 }).toBe(true)
  const { stderr } = output
  child.kill('SIGINT')
  expect(await exit).toBe(130)
  expect(output).toEqual({ stdout: '', stderr })
  expect(await processes()).toEqual([])
})

test('killed without warning while workerd starts, it leaves nothing', async () => {
  const { child, exit, processes } = run('start.ts', ...free)
  await expect
    .poll(async () => (await processes()).some((line) => /workerd serve/.test(line)), { interval: 5 })
    .toBe(true)
  child.kill('SIGKILL')
  await exit
  await expect.poll(processes).toEqual([])
})

test('npm that is told to stop leaves nothing either', async () => {
  const { child, output, exit, processes } = start('npm', ['start', '--', ...free])
  await expect.poll(() => output.stdout).toContain('Ctrl-C')
  child.kill('SIGTERM')
  await exit
  await expect.poll(processes).toEqual([])
})

test.each(['--port', '--backend-port'])('a port that is taken is one line that names it, at once: %s', async (flag) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  const { output, exit, processes } = run('start.ts', ...free, flag, String(port))
  expect(await exit).toBe(1)
  expect(output.stdout).toBe('')
  expect(output.stderr).toMatch(new RegExp(`^npm run start: .*${port}.*${flag}.*\n$`))
  expect(await processes()).toEqual([])
})

test('what is not a port, or no flag at all, is one line and exit code 2', async () => {
  for (const args of [['--port', 'many'], ['--port', '70000'], ['--prot', '1'], ['8787']]) {
    const { output, exit } = run('start.ts', ...args)
    expect(await exit).toBe(2)
    expect(output).toEqual({ stdout: '', stderr: expect.stringMatching(/^npm run start: .*\n$/) })
  }
  const { output, exit } = run('start.ts', '--help')
  expect(await exit).toBe(0)
  expect(output).toEqual({ stdout: expect.stringMatching(/--port[^]*8787[^]*--backend-port[^]*8600/), stderr: '' })
})
