/** The runs that faults strike, each with the text that it must have. */
import { testProblems } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { RunRequestInput } from '@lookahead/sdk'

export interface Solo {
  request: RunRequestInput
  text: string
  finishReason: string
  tokens: number
}

type Ways = NonNullable<RunRequestInput['lookahead']>

/** Long enough for some cycles of every kind. */
const MAX_TOKENS = 56

const small: Ways['steps'] = { max_tokens: 8, half_steps: 'verify' }

/** Ways to come to the same text. */
const ways: readonly Ways[] = [
  { mode: 'ar' },
  { mode: 'sd' },
  { mode: 'lr', pipelined: false, steps: small },
  { mode: 'lr', steps: small },
  { mode: 'lr+sd', pipelined: false, steps: small },
  { mode: 'lr+sd', overlap: true, steps: small },
  { mode: 'lr+sd', pipelined: false, width: 2 },
  { mode: 'lr+sd', width: 3, steps: small },
  { mode: 'auto', pipelined: false },
  { mode: 'auto' },
  { mode: 'auto', steps: small },
]

/** Texts that do not depend on timing: the target's own at temperature 0, or drawn with a seed. */
const texts = (problems: number): RunRequestInput[] =>
  testProblems(problems).map(({ question }, at) => ({
    messages: [{ role: 'user', content: question }],
    sampling: at % 2 === 0 ? { temperature: 0 } : { temperature: 0.8, seed: at },
    max_tokens: MAX_TOKENS,
  }))

/** Every text once by plain decoding, alone and without faults; and as far as a stop string in it. Each is to come about in all ways. */
export async function soloRuns(baseURL: string, problems: number): Promise<Solo[]> {
  const client = new Lookahead({ baseURL })
  const alone = async (request: RunRequestInput): Promise<Omit<Solo, 'request'>> => {
    const run = { ...request, lookahead: { mode: 'ar' as const } }
    const { text, finish_reason: finishReason, usage } = await client.runs.stream(run).final()
    return { text, finishReason, tokens: usage.completion_tokens }
  }
  const solos: Solo[] = []
  for (const text of texts(problems)) {
    const whole = await alone(text)
    const at = Math.floor(whole.text.length * 0.6)
    const stopped = { ...text, stop: [whole.text.slice(at, at + 9)], stop_in_reasoning: true }
    for (const [request, solo] of [
      [text, whole],
      [stopped, await alone(stopped)],
    ] as const)
      for (const way of ways)
        solos.push({ request: { ...request, lookahead: { verifier: 'exact', depth: 4, ...way } }, ...solo })
  }
  return solos
}
