/** Shows on a machine with CUDA what can only be shown there; `--help` lists the flags. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import path from 'node:path'
import { Interrupted, interruptible } from '../src/commands/interrupt.ts'
import { chooseDevice } from '../src/server/device.ts'
import { UsageError } from '../src/usage.ts'
import { memoryBandwidth } from './bandwidth.ts'
import { operators } from './operators.ts'
import { readOptions, sectionNames, type CheckOptions, type SectionName } from './options.ts'
import { parity } from './parity.ts'
import { pool } from './pool.ts'
import { failures, markdown, type Report } from './report.ts'
import type { Section } from './section.ts'
import { speed } from './speed.ts'

const target = path.join(import.meta.dirname, '../models/target')

try {
  await run(readOptions())
} catch (error) {
  if (!(error instanceof UsageError || error instanceof Interrupted)) throw error
  console.error(`gpu:check: ${error.message}`)
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1
}

async function run(options: CheckOptions): Promise<void> {
  await chooseDevice(options.device)
  const report = await interruptible('starts over', (signal) => check(options, signal))
  const text = markdown(report)
  console.log(options.json ? JSON.stringify(report) : text)
  if (options.out !== undefined)
    await writeFile(options.out, options.out.endsWith('.json') ? JSON.stringify(report) : text)
  if (failures(report).length > 0) process.exitCode = 1
}

async function check(options: CheckOptions, signal: AbortSignal): Promise<Report> {
  const { device, rounds, only } = options
  const say = (line: string) => {
    signal.throwIfAborted()
    console.error(`gpu:check: ${line}`)
  }
  const make: Record<SectionName, () => Promise<Section>> = {
    operators: () => operators(device, target),
    parity: () => parity(device, target),
    pool: () => pool(device, target, rounds),
    speed: async () => speed(options, await memoryBandwidth(device), signal, say),
  }
  const sections: Section[] = []
  for (const name of sectionNames.filter((each) => only.includes(each))) {
    say(name)
    sections.push(await make[name]())
  }
  return { machine: machine(device), sections }
}

function machine(device: CheckOptions['device']): Record<string, string> {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader']
  const gpu = device === 'cuda' ? spawnSync('nvidia-smi', query, { encoding: 'utf8' }).stdout?.trim() : undefined
  return {
    'forwards on':
      device === 'cuda' ? `CUDA: ${gpu || 'nvidia-smi does not say on what'}` : 'the CPU: says nothing of a GPU',
    processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    'Node.js': process.version,
    date: new Date().toISOString().slice(0, 10),
  }
}
