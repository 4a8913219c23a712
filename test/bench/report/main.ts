/** Markdown and figures of the results of `npm run bench`; `npm run bench:report -- --help` lists the flags. */
import { script, some } from '@lookahead/gpu-backend/flags'
import { readRuns, RunsError } from '../runs/log.ts'
import { reportOn } from './report.ts'
import { writeReport } from './write.ts'

const program = script('bench:report', 'Markdown and figures (SVG) of runs that npm run bench --out has put down.')
  .usage('-- <results…> [flags]')
  .argument('<results...>', 'files of runs, .jsonl or .jsonl.gz')
  .option('--to <folder>', 'where the files go', some, 'report')
  .option('--name <name>', 'of the Markdown file, and what the figures begin with', some, 'report')
  .option('--title <text>', 'of the report', some, 'Benchmark')
  .parse()

const { to, name, title } = program.opts()
const [files] = program.processedArgs
try {
  const runs = (await Promise.all(files.map(readRuns))).flat()
  if (runs.length === 0) throw new RunsError(`there are no runs in ${files.join(', ')}`)
  console.log(await writeReport(to, name, reportOn(runs, { title, name })))
} catch (error) {
  if (!(error instanceof RunsError)) throw error
  console.error(`npm run bench:report: ${error.message}`)
  process.exitCode = 2
}
