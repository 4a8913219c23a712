/** The mutation test; `npm run mutants -- --help` lists the flags. */
import path from 'node:path'
import { areas } from './list/index.ts'
import { matching, untrue } from './mutant.ts'
import { readOptions } from './options.ts'
import { isEnough, line, score, summary, table } from './report.ts'
import { Unfit, runMutants } from './run.ts'

const root = path.join(import.meta.dirname, '../..')
const { only, check, json } = readOptions()
const chosen = matching(areas, only)
const say = json ? console.error : console.log
const stop = new AbortController()
for (const event of ['SIGINT', 'SIGTERM'] as const) process.once(event, () => stop.abort(new Unfit(event)))

try {
  if (chosen.length === 0) throw new Unfit(`no mutant has "${only}" in its area, file or meaning`)
  if (check) {
    const problems = await untrue(root, chosen)
    if (problems.length > 0) throw new Unfit(problems.join('\n'))
    say(`${chosen.reduce((sum, { mutants }) => sum + mutants.length, 0)} mutants fit the code`)
  } else {
    const onResult = (result: Parameters<typeof line>[0]): void => say(line(result))
    const results = await runMutants({ root, areas: chosen, signal: stop.signal, onProgress: say, onResult })
    console.log(json ? JSON.stringify(summary(results)) : `\n${table(results)}`)
    if (!isEnough(score(results))) process.exitCode = 1
  }
} catch (error) {
  if (!(error instanceof Unfit)) throw error
  console.error(error.message)
  process.exitCode = 2
}
