/** What clients ask: requests of every kind, each with an answer that is always the same. */
import { Random, testProblems } from '@lookahead/gpu-backend/dataset'

export const kinds = [
  'completions',
  'completions stream',
  'completions n',
  'chat',
  'chat stream',
  'ar',
  'lr+sd',
] as const
/** An endpoint of OpenAI's, answered in one piece, as a stream or with several texts; or a run of the worker's in this mode. */
export type Kind = (typeof kinds)[number]

export interface LoadRequest {
  kind: Kind
  prompt: string
  maxTokens: number
}

/** Questions before the one that is asked: about 600 tokens, and at most about 1,400. */
const SHARED_QUESTIONS = 12
const MOST_QUESTIONS = 28

/** `count` requests, all kinds alike: short prompts, prompts with a long prefix in common, long ones of their own. */
export function createRequests(count: number, seed: string): LoadRequest[] {
  const random = new Random(`requests ${seed}`)
  const questions = testProblems(200).map(({ question }) => question)
  const shared = questions.slice(0, SHARED_QUESTIONS)
  const before = (): string[] => {
    if (random.chance(0.6)) return []
    return random.chance(0.5) ? shared : random.several(questions, random.int(SHARED_QUESTIONS, MOST_QUESTIONS))
  }
  return Array.from({ length: count }, (_, i) => ({
    kind: kinds[i % kinds.length]!,
    prompt: [...before(), random.pick(questions)].join('\n\n'),
    maxTokens: random.chance(0.2) ? random.int(1, 8) : random.int(20, 300),
  }))
}

/** When a client leaves before its answer is complete. */
export type Departure = { afterMs: number } | { afterEvents: number } | { beforeVerify: true }

/** Of four clients one leaves: before the first byte, amid the events, or between draft and verify. */
export function drawDeparture(random: Random, kind: Kind): Departure | undefined {
  if (!random.chance(0.25)) return undefined
  const early = { afterMs: random.int(0, 50) }
  if (kind === 'completions' || kind === 'completions n' || kind === 'chat')
    return random.chance(0.5) ? early : { afterMs: random.int(50, 2000) }
  const later: Departure[] = [{ afterEvents: random.int(1, 40) }]
  if (kind === 'lr+sd') later.push({ beforeVerify: true })
  return random.pick([early, ...later])
}
