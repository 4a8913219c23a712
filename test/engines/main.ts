/** The worker's cycle on servers of others; `npm run engines:real -- --help`. */
import { script, some } from '@lookahead/gpu-backend/flags'
import { Mode, RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { cycle } from '@lookahead/worker/lookahead'
import { openaiUpstream } from '@lookahead/worker/openai'
import { testProblems } from '@lookahead/gpu-backend/dataset'
import { pythonWith } from '../launcher/python.ts'
import { packages, start, tellsIds } from './engines.ts'
import type { Model, Name } from './engines.ts'

const names = Object.keys(packages) as Name[]
const flags = script(
  'engines:real',
  'Starts servers of others with the demo models (of llama.cpp as GGUF files made of them), runs the cycle on each in every mode at temperature 0, and holds the texts against plain decoding. Needs python3 and PyPI, once. Exits with 1 where a run fails, or where a text differs though the server tells token ids.',
)
  .option('--engines <names>', `with commas between them, of ${names.join(', ')}`, 'transformers,llama-cpp-python')
  .option(
    '--python <file>',
    'an interpreter that has what they need (default: ENGINE_PYTHON, or one made in the cache folder)',
    some,
  )
  .option('--llama-server <file>', "llama.cpp's own server, for the engine of that name", some)
  .option('--gguf <file>', 'for the servers of llama.cpp: target and draft, in the place of the demo models', some)
  .option('--tokens <n>', 'of each text', '100')
  .parse()
  .opts()

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)))

/** The target as its own draft shows steps accepted. */
const asked: [mode: Mode, verifier: string, drafter: 'draft' | 'target'][] = [
  ...Mode.options.map((mode): (typeof asked)[number] => [mode, 'exact', 'draft']),
  ['lr', 'exact', 'target'],
  ['lr', 'likelihood', 'draft'],
]
const prompt = `<|im_start|>user\n${testProblems(1)[0]!.question}<|im_end|>\n<|im_start|>assistant\n<think>\n`

interface Ran {
  text: string
  /** Steps. */
  drafted: number
  accepted: number
  tokens: number
  failure: string | undefined
}

async function run(target: Model, draft: Model, lookahead: RunRequestInput['lookahead']): Promise<Ran> {
  const upstream = openaiUpstream({ target, draft, timeoutMs: 300_000 })
  const max_tokens = Number(flags.tokens)
  const request = parseRequest(RunRequest, { prompt, sampling: { temperature: 0 }, max_tokens, lookahead })
  const events: RunEvent[] = []
  const options = { runId: `${lookahead?.mode}`, signal: stop.signal, log: () => undefined }
  for await (const event of cycle(upstream, request, options)) events.push(event)
  const count = (type: RunEvent['type']) => events.filter((event) => event.type === type).length
  const degraded = events.find((event) => event.type === 'run.degraded')
  const last = events.at(-1)
  return {
    text: events.map((event) => (event.type === 'text.delta' ? event.text : '')).join(''),
    drafted: count('step.drafted'),
    accepted: count('step.accepted'),
    tokens: last?.type === 'run.completed' ? last.usage.completion_tokens : 0,
    failure: last?.type === 'run.failed' ? last.message : degraded && `${degraded.code}: ${degraded.message}`,
  }
}

/** Where two texts part; undefined: nowhere. */
function parting(plain: string, other: string): string | undefined {
  if (plain === other) return undefined
  let at = 0
  while (plain[at] === other[at]) at++
  const near = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20))
  return `differs at ${at}: ${near(plain)} became ${near(other)}`
}

const cannotScore = (failure: string | undefined): boolean => /scores given tokens/.test(failure ?? '')

/** @returns whether all came out as it should */
async function tryOut(name: Name): Promise<boolean> {
  const given = flags.python ?? process.env.ENGINE_PYTHON
  const python = given ?? (await pythonWith(`engine-${name}`, packages[name], stop.signal))
  const { llamaServer, gguf } = flags
  await using served = await start[name]({ python, llamaServer, gguf, signal: stop.signal })
  let plain: string | undefined
  let isGood = true
  for (const [mode, verifier, drafter] of asked) {
    const { text, drafted, accepted, tokens, failure } = await run(served.target, served[drafter], {
      mode,
      verifier,
      depth: 3,
    })
    plain ??= text
    const differs = parting(plain, text)
    const isRefused = verifier === 'likelihood' && cannotScore(failure)
    const told = isRefused ? 'refused: it cannot score' : (failure ?? differs ?? 'the same')
    // A text that is read again may become other tokens.
    const mayDiffer = !tellsIds[name] && drafted > 0
    isGood &&= isRefused || (!failure && (!differs || mayDiffer) && tokens > 0)
    if (drafter === 'target') isGood &&= accepted > 0
    console.log(
      [
        name.padEnd(17),
        mode.padEnd(6),
        verifier.padEnd(11),
        drafter.padEnd(7),
        `${accepted}/${drafted}`.padStart(7),
        `${tokens}`.padStart(7),
        ` ${told}`,
      ].join(' '),
    )
  }
  return isGood
}

console.log(`${'engine'.padEnd(17)} mode   verifier    draft   kept/drafted tokens text`)
let isGood = true
for (const engine of flags.engines.split(',')) {
  const name = names.find((known) => known === engine)
  if (!name) throw new Error(`--engines: there is no ${engine}; there are ${names.join(', ')}`)
  isGood = (await tryOut(name)) && isGood
}
process.exitCode = isGood ? 0 : 1
