/** Cuts connections of stored runs; `npm run cuts -- --help` lists the flags. */
import { script, whole } from '@lookahead/gpu-backend/flags'
import { withStack } from '../launcher/index.ts'
import { cuts } from './cuts.ts'

const { json, ...options } = script(
  'cuts',
  'Reads stored runs over connections that are cut at random places; exits with 1 when an event is lost, comes twice, or a text is not the one given alone.',
)
  .option('--count <n>', 'cuts in all', whole(1), 10_000)
  .option('--seed <s>', 'fixes how long connections live', whole(0), 1)
  .option('--clients <n>', 'runs at the same time', whole(1), 24)
  .option('--problems <n>', 'different questions', whole(1), 3)
  .option('--json', 'the report alone on stdout', false)
  .parse()
  .opts()

await withStack(async ({ workerURL }) => {
  const report = await cuts({ ...options, workerURL, onProgress: (line) => console.error(line) })
  const { violations, ...counts } = report
  if (json) console.log(JSON.stringify(report))
  else
    console.log(
      Object.entries(counts)
        .map(([name, n]) => `${name.padEnd(12)}${n.toFixed(0).padStart(8)}`)
        .join('\n'),
    )
  for (const violation of violations.slice(0, 10)) console.error(`FAILED: ${violation}`)
  if (violations.length > 0) process.exitCode = 1
})
