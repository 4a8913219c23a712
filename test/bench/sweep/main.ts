/** The ablations of docs/results; `npm run bench:sweep -- --help` lists the flags. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { listOf, script, some, whole } from '@lookahead/gpu-backend/flags'
import { reportOn } from '../report/report.ts'
import { writeReport } from '../report/write.ts'
import { readRuns } from '../runs/log.ts'
import { ablations } from './ablations.ts'
import type { Ablation, Variant } from './ablations.ts'
import { flagsOf, missing, nameOf } from './variant.ts'

const root = path.join(import.meta.dirname, '../../..')
const names = ablations.map(({ name }) => name)

const flags = script('bench:sweep', 'Runs the ablations of test/bench/sweep/ablations.ts, and writes a report of each.')
  .option('--only <a,b>', `of ${names.join(', ')} (default: all)`, listOf(names))
  .option('--limit <n>', 'problems in each variant', whole(1), 200)
  .option('--samples <n>', 'runs of each problem in each mode', whole(1), 1)
  .option('--dataset <name|file>', "as npm run bench's", some, 'demo')
  .option('--to <folder>', 'where reports and runs go', some, 'docs/results')
  .parse()
  .opts()

let running: ChildProcess | undefined
for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(name, () => {
    if (running?.exitCode !== null) process.exit(code)
    // Ctrl-C has reached the benchmark too; its exit code ends the sweep.
    if (name === 'SIGTERM') running.kill()
  })

const chosen = ablations.filter(({ name }) => flags.only?.includes(name) ?? true)
await mkdir(flags.to, { recursive: true })
for (const [at, ablation] of chosen.entries()) {
  console.error(`\n${ablation.name} (${at + 1} of ${chosen.length}): ${ablation.title}`)
  await sweep(ablation)
}

/** Runs go to a file that is compressed when all are there; a sweep that was stopped goes on from it. */
async function sweep(ablation: Ablation): Promise<void> {
  const runs = path.join(flags.to, `${ablation.name}.jsonl`)
  const common = ['--limit', String(flags.limit), '--samples', String(flags.samples), '--dataset', flags.dataset]
  const leftOut: string[] = []
  const commands: string[] = []
  for (const variant of ablation.variants) {
    const args = flagsOf(ablation, variant, common)
    const why = missing(variant) ?? (await bench(variant, [...args, '--out', runs]))
    if (why === undefined) commands.push(`npm run bench -- ${args.join(' ')}`)
    else {
      leftOut.push(`${nameOf(variant)} (${why})`)
      console.error(`left out: ${leftOut.at(-1)}`)
    }
  }
  if (commands.length > 0) await publish(ablation, runs, { commands, leftOut })
  else console.error(`${ablation.name}: nothing of it can be run yet`)
}

/** In a process of its own, with servers of its own. @returns why it could not be run, if it could not */
async function bench(variant: Variant, args: readonly string[]): Promise<string | undefined> {
  console.error(`\n${nameOf(variant)}`)
  const child = spawn(process.execPath, [path.join(root, 'test/bench/bench.ts'), ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  running = child
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text)
    said += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal === 'SIGINT' || code === 130 || code === 143) process.exit(code ?? 130)
  // Runs that failed are in the report; without a single one there is nothing to report.
  if (code === 0 || (code === 1 && /\d+ of \d+ runs/.test(said))) return undefined
  return said.trim().split('\n').at(-1)
}

interface Made {
  commands: readonly string[]
  leftOut: readonly string[]
}

async function publish({ name, title }: Ablation, file: string, { commands, leftOut }: Made): Promise<void> {
  const notes = [
    `Made by \`npm run bench:sweep -- --only ${name} --limit ${flags.limit}\`, which runs:\n\n${commands.map((command) => `    ${command}`).join('\n')}`,
    ...(leftOut.length > 0 ? [`Left out: ${leftOut.join('; ')}.`] : []),
    `All runs: [${name}.jsonl.gz](${name}.jsonl.gz).`,
  ]
  console.log(await writeReport(flags.to, name, reportOn(await readRuns(file), { title, name, notes })))
  await writeFile(`${file}.gz`, await promisify(gzip)(await readFile(file)))
}
