/** The soak; `npm run soak -- --help` lists the flags. */
import { decimal, script, whole } from '@lookahead/gpu-backend/flags'
import { soak } from './soak.ts'

const { json, ...options } = script(
  'soak',
  'Mixed runs through SDK, worker and backend; exits with 1 when a text is not the one given alone, memory grows after three minutes, or something is left behind.',
)
  .option(
    '--minutes <m>',
    'for how long runs are begun; memory is judged from the fourth minute to the last',
    decimal(0.01),
    10,
  )
  .option('--clients <n>', 'runs at the same time', whole(1), 6)
  .option('--seed <s>', 'fixes which runs each client begins', whole(0), 1)
  .option('--json', 'the report alone on stdout', false)
  .parse()
  .opts()

const report = await soak({ ...options, onProgress: (line) => console.error(line) })
const { completed, left, backend, workerd, violations } = report
const minutes = (medians: readonly number[]) => medians.map((mib) => mib.toFixed(0)).join(' ')
console.log(
  json
    ? JSON.stringify(report)
    : [
        `runs, complete       ${completed}`,
        `left before the end  ${left}`,
        `backend, MiB         ${minutes(backend)}`,
        `workerd, MiB         ${minutes(workerd)}`,
        ...violations,
      ].join('\n'),
)
if (violations.length > 0) {
  console.error(`FAILED: ${violations[0]}`)
  process.exitCode = 1
}
