/**
 * What the target thinks of drafted steps, by what became of them, without the gate: `npm run bench:gate`. Prints
 * the least log-probability of a token in each step, of steps that some right solution has word for word (right) and of
 * others (wrong), and what each threshold would refuse of those that the judge accepts. `LEAST_LOGPROB` in
 * gpu-backend/src/engine/judging/likelihood.ts was chosen by it. Flags are those of bench:fidelity.
 */
import { foreignProblems, rightSteps } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent } from '@lookahead/sdk'
import { withStack } from '../launcher/index.ts'
import { ask, measure } from '../measure.ts'
import { readOptions } from './fidelity-options.ts'
import { quantile } from './statistics.ts'

/** One drafted step that was ruled on. */
interface Ruled {
  verdict: string
  isRight: boolean
  text: string
  least: number
}

const THRESHOLDS = [-2, -2.5, -3, -4, -5, -6, -8, -10]

const options = readOptions(
  'bench:gate',
  'What the target thinks of drafted steps, by what became of them, without the gate.',
)

await withStack(
  async ({ workerURL, backendURL }) => {
    const { limit, families, foreign, depth, seed } = options
    const client = new Lookahead({ baseURL: workerURL })
    const steps: Ruled[] = []
    for (const [at, problem] of foreignProblems(limit, { families, kinds: foreign }).entries()) {
      const right = rightSteps(problem)
      const prompt = { messages: [{ role: 'user', content: problem.question }], add_generation_prompt: true }
      const head = await tokenize(backendURL, prompt)
      const events: RunEvent[] = []
      const request = { ...ask(problem.question), sampling: { seed }, lookahead: { depth, verifier: 'judge' } }
      await measure(client, 'lr+sd', request, (event) => events.push(event))
      let committed = ''
      for (const event of events) {
        if (event.type === 'step.accepted' || event.type === 'step.rejected') {
          const { type, reason, text } = event
          const least = await leastLogprob(backendURL, head, committed, text)
          steps.push({ verdict: `${type.slice(5)} (${reason})`, isRight: right.has(text), text, least })
        }
        if (event.type === 'step.accepted' || event.type === 'step.corrected') committed += event.text
      }
      console.error(`${at + 1} of ${limit}  ${steps.length} steps`)
    }
    if (options.json) console.log(JSON.stringify({ options, steps }))
    else console.log(`${distributions(steps)}\n\n${refusals(steps)}`)
  },
  { leastLogprob: 'off' },
)

/** Of the step's tokens after the committed text. */
async function leastLogprob(url: string, head: number[], committed: string, step: string): Promise<number> {
  const own = await tokenize(url, { prompt: step, add_special_tokens: false })
  const before = committed === '' ? [] : await tokenize(url, { prompt: committed, add_special_tokens: false })
  const answer = await post(url, '/v1/completions', {
    model: 'target',
    prompt: [...head, ...before, ...own],
    max_tokens: 1,
    prompt_logprobs: 0,
    temperature: 0,
  })
  const { choices } = answer as { choices: { prompt_logprobs: (Record<string, { logprob: number }> | null)[] }[] }
  const entries = choices[0]!.prompt_logprobs.slice(-own.length)
  return Math.min(...entries.flatMap((entry) => Object.values(entry ?? {}).map(({ logprob }) => logprob)))
}

async function tokenize(url: string, text: object): Promise<number[]> {
  const { tokens } = (await post(url, '/tokenize', { model: 'target', ...text })) as { tokens: number[] }
  return tokens
}

async function post(url: string, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

function distributions(steps: readonly Ruled[]): string {
  const groups = Map.groupBy(steps, ({ verdict, isRight }) => `${verdict}, ${isRight ? 'right' : 'wrong'}`)
  const rows = [...groups]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, group]) => {
      const least = group.map((step) => step.least)
      return [String(group.length), ...[0, 0.01, 0.1, 0.5, 1].map((q) => quantile(least, q).toFixed(1)), `  ${name}`]
    })
  return lines([
    ['steps', 'least', '1 %', '10 %', 'median', 'most', '  verdict without the gate, and what the step says'],
    ...rows,
  ])
}

function refusals(steps: readonly Ruled[]): string {
  const judged = steps.filter(({ verdict }) => verdict === 'accepted (judge)')
  const [right, wrong] = [true, false].map((isRight) => judged.filter((step) => step.isRight === isRight)) as [
    Ruled[],
    Ruled[],
  ]
  const below = (group: Ruled[], threshold: number) => group.filter(({ least }) => least < threshold).length
  const rows = THRESHOLDS.map((threshold) => [
    String(threshold),
    `${below(right, threshold)} of ${right.length}`,
    `${below(wrong, threshold)} of ${wrong.length}`,
  ])
  return lines([['threshold', 'right refused', 'wrong refused'], ...rows])
}

const lines = (rows: string[][]): string =>
  rows.map((row) => row.map((cell) => (cell.startsWith('  ') ? cell : cell.padStart(14))).join('')).join('\n')
