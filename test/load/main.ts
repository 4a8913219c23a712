/** The load test; `npm run load -- --help` lists the flags. */
import { load } from './load.ts'
import type { Report } from './load.ts'
import { readFlags } from './options.ts'

const flags = readFlags()

const report = await load({ ...flags, onProgress: (line) => console.error(line) })
console.log(flags.json ? JSON.stringify(report) : table(report))
const [first] = report.violations
if (first !== undefined) {
  console.error(`FAILED: ${first}`)
  process.exitCode = 1
}

function table({ done, left, refused, memory, ...rest }: Report): string {
  const rows = [
    ['seconds', rest.seconds.toFixed(0)],
    ...Object.entries(done).map(([kind, count]) => [`${kind}, complete`, count]),
    ['left before the end', left],
    ['refused and tried again', refused],
    ['preempted', rest.preempted],
    ['tokens/s', rest.tokensPerSecond.toFixed(0)],
    ['slowest /health, ms', rest.slowestHealthMs.toFixed(0)],
    ['memory, MiB', memory ? `${memory.from.toFixed(0)} → ${memory.to.toFixed(0)}` : 'not checked: too short a time'],
    ['near-ties', rest.nearTies.length],
    ['violations', rest.violations.length],
  ]
  return [
    ...rows.map(([name, value]) => `${String(name).padEnd(32)}${String(value).padStart(12)}`),
    ...rest.nearTies.map((nearTie) => `near-tie: ${nearTie}`),
  ].join('\n')
}
