/** All that a GPU is wanted for, in one go; `--help` lists the flags, docs/gpu.md says more. */
import { spawnSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { readOptions } from './options.ts'
import type { SessionOptions } from './options.ts'
import { partsOf, shareTarget } from './parts.ts'
import { runPart } from './run-part.ts'
import { writeSummary } from './summary.ts'
import type { Summary } from './summary.ts'

/** With less than this left, in seconds, no part is begun. */
const TOO_LITTLE = 3

const nothing = { seconds: 0, command: '', stdout: '', stderr: '' }

await session(readOptions())

async function session(options: SessionOptions): Promise<void> {
  const { minutes } = options
  const until = performance.now() + 60_000 * minutes
  const out = path.resolve(options.out)
  await mkdir(out, { recursive: true })
  const scratch = await mkdtemp(path.join(tmpdir(), 'lookahead-session-'))
  // Graphs of random models are large: they go with the session.
  process.env.LOOKAHEAD_CACHE = path.join(scratch, 'cache')
  await shareTarget(options, scratch)
  const stopped = stopSignal()
  const log = createWriteStream(path.join(out, 'output.log'), { flags: 'a' })
  const parts = partsOf({ ...options, out }, scratch)
  const summary: Summary = { machine: machine(options), parts: [], left: parts.map(({ name }) => name) }
  try {
    for (const part of parts) {
      await writeSummary(out, summary)
      const left = Math.min(part.limit, (until - performance.now()) / 1000)
      log.write(`\n===== ${new Date().toISOString()} ${part.name}, ${left.toFixed(0)} s at most\n`)
      const outcome =
        left < TOO_LITTLE || stopped.aborted
          ? { name: part.name, status: 'skipped' as const, reason: 'no time was left', ...nothing }
          : await runPart(part, left, log, stopped)
      const found = part.json === undefined ? undefined : await readFound(part.json)
      summary.parts.push({ ...outcome, ...(found === undefined ? {} : { found }) })
      summary.left.shift()
      console.error(`gpu:session: ${part.name}: ${outcome.status}${outcome.reason ? ` (${outcome.reason})` : ''}`)
      if (outcome.status === 'failed' || outcome.status === 'out of time') process.exitCode = 1
    }
  } finally {
    await writeSummary(out, summary)
    await new Promise((resolve) => log.end(resolve))
    await rm(scratch, { recursive: true, force: true })
  }
}

/** What a part has left as JSON, if it came so far. */
async function readFound(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}

function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
  return controller.signal
}

function machine({ device }: SessionOptions): Record<string, string> {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader']
  const gpu = device === 'cuda' ? spawnSync('nvidia-smi', query, { encoding: 'utf8' }).stdout?.trim() : undefined
  return {
    device: gpu || (device === 'cuda' ? 'CUDA: nvidia-smi does not say on what' : 'the CPU: says nothing of a GPU'),
    processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    'Node.js': process.version,
    date: new Date().toISOString(),
  }
}
