import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent } from '@lookahead/sdk'
import { inject, expect, it, onTestFinished } from 'vitest'
import { startBuiltWorker } from './built-worker.ts'
import { startServer } from './server.ts'
import { startWorker } from './worker.ts'

const answers = (url: string) =>
  fetch(`${url}/health`).then(
    () => true,
    () => false,
  )

it('stops what it started', async () => {
  const worker = await startWorker({ backendURL: inject('backendURL') })
  expect(await answers(worker.url)).toBe(true)
  await worker.stop()
  expect(await answers(worker.url)).toBe(false)
  await worker.stop()
})

/** Whether anyone is left of what a server started, workerd for one: it leads a process group. */
function isAlive(leader: number): boolean {
  try {
    return process.kill(-leader, 0)
  } catch {
    return false
  }
}

it('lives on when a thread of its own ends', async () => {
  const code = `
    const { Worker } = require('node:worker_threads')
    const thread = new Worker(new URL('data:text/javascript,setTimeout(Boolean, 500)')).on('exit', () => {
      const server = require('node:http').createServer((_, response) => response.end())
      server.listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port))
    })`
  const server = await startServer({ name: 'threads', script: '--eval', args: [code] })
  onTestFinished(() => server.stop())
  // Whoever would end it is no slower than a shell.
  await once(spawn('sh', ['-c', 'sleep 1']), 'exit')
  expect(await answers(server.url)).toBe(true)
})

/** A process of its own that starts a worker. */
async function startLauncher() {
  const script = `
    import { startWorker } from '${new URL('worker.ts', import.meta.url).href}'
    const { url, pid } = await startWorker({ backendURL: '${inject('backendURL')}' })
    console.log(url + ' ' + pid)
    setInterval(() => undefined, 1000)`
  const launcher = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(launcher.stdout), 'line')) as [string]
  const [url, leader] = [line.split(' ')[0]!, Number(line.split(' ')[1])]
  onTestFinished(() => void (isAlive(leader) && process.kill(-leader, 'SIGKILL')))
  expect([await answers(url), isAlive(leader)]).toEqual([true, true])
  return { launcher, url, leader }
}

it.each([
  ['its process gets SIGKILL', ({ launcher }) => void launcher.kill('SIGKILL')],
  ['its process gets SIGINT', ({ launcher }) => void launcher.kill('SIGINT')],
  [
    'its process and the server get SIGKILL',
    ({ launcher, leader }) => {
      // Else it would have time to end what the server leaves.
      launcher.kill('SIGSTOP')
      process.kill(leader, 'SIGKILL')
      launcher.kill('SIGKILL')
    },
  ],
] as [string, (started: Awaited<ReturnType<typeof startLauncher>>) => void][])(
  'leaves nothing running when %s',
  async (_, strike) => {
    const started = await startLauncher()
    strike(started)
    await expect.poll(() => isAlive(started.leader), { timeout: 30_000 }).toBe(false)
    expect(await answers(started.url)).toBe(false)
  },
)

it('runs what would be deployed, stored runs too, and leaves nothing', async () => {
  const worker = await startBuiltWorker({ backendURL: inject('backendURL'), v8Flags: ['gc-global'] })
  onTestFinished(() => worker.stop())
  const client = new Lookahead({ baseURL: worker.url })
  const question = { messages: [{ role: 'user' as const, content: 'What is 2 + 3?' }], max_tokens: 8 }
  const run = client.runs.stream({ ...question, store: true })
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  expect(events.at(-1)!.type).toBe('run.completed')
  const id = events.map((event) => (event.type === 'run.started' ? event.run_id : '')).join('')
  const again: RunEvent[] = []
  for await (const event of client.runs.resume(id)) again.push(event)
  expect(again).toEqual(events)
  await worker.stop()
  await expect.poll(() => isAlive(worker.pid)).toBe(false)
})

it('says at once that a port is taken, and leaves nothing', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  await expect(startWorker({ backendURL: inject('backendURL'), port })).rejects.toThrow(
    new RegExp(`worker: ended before it was ready\\n.*in use.*:${port}`),
  )
})

it('says why a server did not start', async () => {
  await expect(startWorker({ backendURL: inject('backendURL'), config: 'nothing.toml' })).rejects.toThrow(
    /worker: ended before it was ready[^]*nothing\.toml/,
  )
  const silent = { name: 'silent', script: 'test/launcher/leash.ts', args: [] }
  await expect(startServer(silent)).rejects.toThrow('silent: ended before it was ready')
})
