import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'

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
function post(url: string, body: object, path = '/v1/completions'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method: 'POST', agent: new Agent() }, resolve)
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

/** A cycle of a run. @returns the ids that were committed, and whether the text is over */
async function cycle(url: string, context: object): Promise<{ tokens: number[]; isOver: boolean }> {
  const verified = await post(
    url,
    { context, max_tokens: 200, verifier: 'exact', sampling: { temperature: 0 } },
    '/v1/verify',
  )
  const commit = /"type":"commit".*"tokens":(\[[\d,]+\]).*"finish_reason":(null|"\w+")/.exec(await text(verified))!
  return { tokens: JSON.parse(commit[1]!) as number[], isOver: commit[2] !== 'null' }
}

test('a run that has begun goes on cycle after cycle while it stops, and others do not begin', async () => {
  const { url, exit, stop } = await start(3600)
  const [problem] = testProblems(1)
  const prompt = `<|im_start|>user\n${problem!.question}<|im_end|>\n<|im_start|>assistant\n<think>\n`
  let length = (await cycle(url, { id: 'run', prompt })).tokens.length
  expect((await cycle(url, { id: 'left', prompt })).isOver).toBe(false)
  await stop()
  for (const path of ['/v1/verify', '/v1/draft']) {
    const other = { context: { id: 'other', prompt: 'Ben has 5.\n' }, depth: 1, max_tokens: 40 }
    const body = path === '/v1/draft' ? { ...other, max_tokens: undefined } : { ...other, depth: undefined }
    expect((await post(url, body, path)).statusCode).toBe(503)
  }
  for (let isOver = false; !isOver;) {
    const drafted = await post(url, { context: { id: 'run', length }, depth: 1 }, '/v1/draft')
    expect(await text(drafted)).toContain('"type":"done"')
    const next = await cycle(url, { id: 'run', length })
    length += next.tokens.length
    isOver = next.isOver
  }
  // Between two calls of a run it waits, until the run is given up.
  expect((await fetch(`${url}/health`)).status).toBe(503)
  await fetch(`${url}/v1/contexts/left`, { method: 'DELETE' })
  expect(await exit).toBe(0)
})
