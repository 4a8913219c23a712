import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))

async function start(drain: number) {
  const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--drain', String(drain)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  await expect.poll(() => output).toContain('listening on')
  const url = /listening on (\S+)/.exec(output)![1]!
  await expect.poll(async () => (await fetch(`${url}/health`)).status).toBe(200)
  const stop = async () => {
    child.kill('SIGTERM')
    await expect.poll(() => output).toContain('SIGTERM')
  }
  return { url, exit, stop }
}

/** The headers have come; the body is read by whoever asked. */
function post(url: string, body: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/completions`, { method: 'POST', agent: new Agent() }, resolve)
    sent.once('error', reject)
    sent.end(JSON.stringify(body))
  })
}

const long = (tokens: number) => ({ prompt: 'Step', model: 'draft', max_tokens: tokens, ignore_eos: true })

test('asked to stop, it refuses new calls and lets running ones end', async () => {
  const { url, exit, stop } = await start(3600)
  const running = await post(url, { ...long(1500), n: 4, stream: true })
  await stop()
  const refused = await post(url, long(1))
  expect([refused.statusCode, Number(refused.headers['retry-after']) > 0]).toEqual([503, true])
  expect(await text(refused)).toContain('draining')
  expect(await text(running)).toMatch(/"finish_reason":"length"[^]*data: \[DONE\]\n\n$/)
  expect(await exit).toBe(0)
})

test('what runs for longer than it may is aborted, and told so', async () => {
  const { url, exit, stop } = await start(0)
  const streaming = await post(url, { ...long(2000), n: 32, stream: true })
  const waiting = post(url, { ...long(2000), n: 32 })
  // The second call is under way once a third one is answered.
  await text(await post(url, long(1)))
  await stop()
  const body = await text(streaming)
  expect(body).toContain('"code":"draining"')
  expect(body).not.toContain('[DONE]')
  expect((await waiting).statusCode).toBe(503)
  expect(await exit).toBe(0)
})
