/** The runs that faults strike, each with the text that it must have. */
import { testProblems } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { Mode, RunRequestInput } from '@lookahead/sdk'

export interface Solo {
  request: RunRequestInput
  text: string
  finishReason: string
  tokens: number
}

const MAX_TOKENS = 90
const modes: readonly Mode[] = ['ar', 'sd', 'lr', 'lr+sd', 'auto']

/** Texts that do not depend on timing: the target's own at temperature 0, or drawn with a seed. */
const requests = (problems: number): RunRequestInput[] =>
  testProblems(problems).flatMap(({ question }, at) =>
    modes.flatMap((mode) =>
      [true, false].map((pipelined) => ({
        messages: [{ role: 'user' as const, content: question }],
        sampling: at % 2 === 0 ? { temperature: 0 } : { temperature: 0.8, seed: at },
        max_tokens: MAX_TOKENS,
        lookahead: { mode, verifier: 'exact', pipelined, depth: 4 },
      })),
    ),
  )

/** Every request once, alone and without faults. */
export async function soloRuns(baseURL: string, problems: number): Promise<Solo[]> {
  const client = new Lookahead({ baseURL })
  const solos: Solo[] = []
  for (const request of requests(problems)) {
    const { text, finishReason, usage } = await client.runs.stream(request).final()
    solos.push({ request, text, finishReason, tokens: usage.completion_tokens })
  }
  return solos
}
