/** What forwards do to a GPU, on a machine without one; `--help` explains. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { formatBytes } from '../../src/bytes.ts'
import { listOf, script } from '../../src/flags.ts'
import { weightTypes } from '../../src/graph/index.ts'
import { failures, markdown } from '../report.ts'
import type { Section } from '../section.ts'
import { dryRunLibraries } from './libraries.ts'

const flags = script(
  'gpu:dry-run',
  `Loads the shipped target with ONNX Runtime's CUDA build over a CUDA that computes nothing: nodes are placed, memory is
allocated and copied, and kernels are launched as on an H100, but what comes out is noise. Counts the launches and the
bytes that pass between host and device in a forward. The exit code is 1 if a node has no CUDA kernel, or anything but the
inputs and the wanted logits is copied. Linux on x64; needs pip, gcc and binutils.`,
)
  .option('--weights <a,b>', `of ${weightTypes.join(', ')} (default: all)`, listOf(weightTypes))
  .option('--trace', "every launch and copy, in order, with the kernels' names", false)
  .parse()
  .opts()
dryRun(flags.weights ?? weightTypes, flags.trace)

function dryRun(weights: readonly string[], trace: boolean): void {
  const libraries = dryRunLibraries((line) => console.error(`gpu:dry-run: ${line}`))
  const section: Section = {
    title: 'Launches and copies of a forward',
    about: 'Forwards of requests × new tokens after 300, the likeliest tokens after each brought to the host.',
    rows: [],
    checks: [],
  }
  for (const type of weights) {
    const said = forwards(libraries, type)
    if (trace) console.log(said)
    const [first, growth, ended] = said.split(/^forward growth(?: end)?$/m)
    const runs = first!.split(/^forward (?!end)/m).slice(1)
    const passed = runs.every((run) => run.includes('\nforward end')) && ended !== undefined
    section.checks.push({ what: `${type}: every node has a CUDA kernel`, passed, seen: said.slice(-400) })
    if (!passed) continue
    for (const run of runs) count(section, type, run)
    const [before, more] = [allocated(first!), allocated(growth!)]
    section.checks.push({
      what: `${type}: 16 texts that grow to 1,800 tokens, and a prompt of 1,536, take at most three times what a few tokens took`,
      passed: more <= 3 * before,
      seen: `${formatBytes(before)}, then ${formatBytes(more)}`,
    })
  }
  const report = { machine: { 'forwards on': 'nothing: a dry run' }, sections: [section] }
  console.log(markdown(report))
  if (failures(report).length > 0) process.exitCode = 1
}

/** What model and libraries write to stderr; into a file, since the libraries do not wait for a pipe that is full. */
function forwards(libraries: string, weights: string): string {
  const target = path.join(import.meta.dirname, '../../models/target')
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, LOOKAHEAD_ONNXRUNTIME: libraries }
  const args = [path.join(import.meta.dirname, 'forwards.ts'), target, weights]
  const home = mkdtempSync(path.join(tmpdir(), 'lookahead-'))
  try {
    const log = path.join(home, 'log')
    spawnSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', openSync(log, 'w')] })
    return spawnSync('c++filt', { input: readFileSync(log), encoding: 'utf8', maxBuffer: 2 ** 28 }).stdout
  } finally {
    rmSync(home, { recursive: true })
  }
}

/** Bytes of the device that were taken and not given back. */
function allocated(said: string): number {
  return [...said.matchAll(/^allocate (-?\d+)$/gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

function count(section: Section, weights: string, run: string): void {
  const [head = '', ...lines] = run.slice(0, run.indexOf('\nforward end')).split('\n')
  const [, inputs, outputs] = /^forward end (\d+) (\d+)$/m.exec(run) ?? []
  const copies = (from: string, to: string) => lines.filter((line) => line.startsWith(`copy ${from} ${to} `))
  const bytes = (copied: string[]) => copied.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  const [there, back] = [copies('host', 'device'), copies('device', 'host')]
  section.rows.push({
    weights,
    forward: head,
    kernels: lines.filter((line) => line.startsWith('kernel ')).length,
    'products of cuBLAS': lines.filter((line) => line.startsWith('product ')).length,
    'copies there': there.length,
    'bytes there': bytes(there),
    'copies back': back.length,
    'bytes back': bytes(back),
    'copies on the device': copies('device', 'device').length,
  })
  section.checks.push({
    what: `${weights}, ${head}: inputs and wanted logits are all that is copied`,
    // The flag `in_place` is an input that stays where it is.
    passed: bytes(there) <= Number(inputs) && bytes(back) <= Number(outputs),
    seen: `${bytes(there)} there, ${bytes(back)} back; inputs ${inputs}, outputs ${outputs}`,
  })
}
