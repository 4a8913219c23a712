/** One question through the whole stack, with and without lookahead; `npm run demo -- --help` lists the flags. */
import { extractAnswer, FAMILIES, longTestProblems } from '@lookahead/gpu-backend/dataset'
import { script } from '@lookahead/gpu-backend/flags'
import { Lookahead } from '@lookahead/sdk'
import type { RunResult } from '@lookahead/sdk'
import { withStack } from '../launcher/index.ts'
import { ask, measure } from '../measure.ts'
import type { Measurement } from '../measure.ts'
import { oneLine, paint, stepLine } from './show-steps.ts'
import { isStory, unfamiliarWords } from './unfamiliar.ts'

const program = script('demo', 'One question through the whole stack, with lookahead and without.')
  .usage('-- [question] [flags]')
  .argument('[question...]', 'default: a held-out problem of four parts')
  .option('--json', 'results alone on stdout')
  .parse()

const { json } = program.opts()
const [asked] = program.processedArgs
const question = asked.length > 0 ? asked.join(' ').trim() : longTestProblems(5)[4]!.question
if (question === '') program.error('the question is empty')
const unfamiliar = unfamiliarWords(question)

const say = json ? () => undefined : console.log

await withStack(async ({ workerURL }) => {
  const client = new Lookahead({ baseURL: workerURL })
  // The model's own temperature, seeded: the same question shows the same run.
  const request = { ...ask(question), max_tokens: 4096, sampling: { seed: 1 } }
  for (const mode of ['ar', 'lr+sd'] as const) await measure(client, mode, { ...request, max_tokens: 32 })

  say(`\n${paint('bold', question)}\n\nlookahead (lr+sd)\n`)
  const lookahead = await measure(client, 'lr+sd', request, (event) => {
    const line = stepLine(event)
    if (line) say(line)
  })
  say(`\n  ${paint('bold', oneLine(lookahead.result.answer || lookahead.result.text))}\n\nplain decoding (ar)\n`)
  const plain = await measure(client, 'ar', request)
  say(`  ${oneLine(plain.result.answer || plain.result.text)}\n`)

  const speedup = lookahead.tokensPerSecond / plain.tokensPerSecond
  if (json) console.log(JSON.stringify(report(plain, lookahead, speedup)))
  else say(table(plain, lookahead, speedup))
  if (unfamiliar.length > 0 || !isStory(question)) say(paint('yellow', hint(unfamiliar)))
})

function hint(words: string[]): string {
  const unknown = words.length > 0 ? ` They do not know: ${words.join(', ')}` : ' This is none of them.'
  return `
The demo models know word problems of ${FAMILIES.length} kinds, and no other words than these have.${unknown}
So this answer is likely to be wrong, however sure it sounds.`
}

/** What the model put in a box, else the beginning of its answer. */
function shortAnswer({ text, answer }: RunResult): string {
  return extractAnswer(text) ?? oneLine(answer || text).slice(0, 60)
}

function report(plain: Measurement, lookahead: Measurement, speedup: number) {
  const mode = ({ tokens, seconds, tokensPerSecond, result }: Measurement) => ({
    tokens,
    seconds,
    tokensPerSecond,
    answer: shortAnswer(result),
  })
  const { accepted_steps, drafted_steps } = lookahead.result.stats
  return {
    question,
    unfamiliarWords: unfamiliar,
    isStory: isStory(question),
    answer: shortAnswer(lookahead.result),
    modes: {
      ar: mode(plain),
      'lr+sd': { ...mode(lookahead), acceptedSteps: accepted_steps, draftedSteps: drafted_steps },
    },
    speedup,
  }
}

function table(plain: Measurement, lookahead: Measurement, speedup: number): string {
  const { accepted_steps, drafted_steps } = lookahead.result.stats
  const rows = [
    ['', 'plain', 'lookahead'],
    ['tokens/s', plain.tokensPerSecond.toFixed(0), lookahead.tokensPerSecond.toFixed(0)],
    ['tokens', String(plain.tokens), String(lookahead.tokens)],
    ['seconds', plain.seconds.toFixed(2), lookahead.seconds.toFixed(2)],
    ['steps accepted', '–', `${accepted_steps} of ${drafted_steps}`],
    ['speedup', '1.00×', `${speedup.toFixed(2)}×`],
    ['answer', shortAnswer(plain.result), shortAnswer(lookahead.result)],
  ]
  const width = 2 + Math.max(...rows.flatMap((row) => row.slice(1).map(({ length }) => length)))
  return rows
    .map(([name, ...cells]) => `${name!.padEnd(16)}${cells.map((cell) => cell.padStart(width)).join('')}`)
    .join('\n')
}
