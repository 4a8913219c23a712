/** The fault machine; `npm run faults -- --help` lists the flags. */
import { decimal, script, whole } from '@lookahead/gpu-backend/flags'
import { faultMachine } from './machine.ts'

const { json, ...options } = script(
  'faults',
  'Runs that are struck by faults of connections, events and processes; exits with 1 when a text is not the one given alone, a run hangs, or something is left behind.',
)
  .option('--count <n>', 'faults in all, at least', whole(1), 200)
  .option('--seed <s>', 'fixes which faults are drawn', whole(0), 1)
  .option('--clients <n>', 'runs at the same time', whole(1), 12)
  .option('--backends <n>', 'backends behind the worker', whole(1), 1)
  .option('--rtt <ms>', 'milliseconds between worker and backend, there and back', decimal(0), 60)
  .option('--processes <n>', 'of a hundred faults, those that strike a process', decimal(0), 2)
  .option('--problems <n>', 'different questions', whole(1), 3)
  .option('--json', 'the report alone on stdout', false)
  .parse()
  .opts()

const processes = Math.round((options.count * options.processes) / 100)
const report = await faultMachine({ ...options, processes, onProgress: (line) => console.error(line) })
console.log(json ? JSON.stringify(report) : table())
if (report.violations.length > 0) {
  console.error(`FAILED: ${report.violations[0]}`)
  process.exitCode = 1
}

function table(): string {
  const { faults, failed, completed, waited, seconds, violations } = report
  const struck = Object.entries(faults)
  const rows = [
    ...struck.toSorted(([a], [b]) => a.localeCompare(b)),
    ['faults', struck.reduce((sum, [, count]) => sum + count, 0)],
    ['runs, complete', completed],
    ...Object.entries(failed).map(([kind, count]) => [`runs, ${kind}`, count]),
    ['runs that waited for the backend', waited],
    ['seconds', seconds.toFixed(0)],
    ['violations', violations.length],
  ]
  return [...rows.map(([name, value]) => `${String(name).padEnd(40)}${String(value).padStart(8)}`), ...violations].join(
    '\n',
  )
}
