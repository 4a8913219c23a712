/** Whatever steps a text is cut into: with the exact verifier it is that of plain decoding, and all its steps are counted. */
import type { StepRulesInput } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { draftSteps, follow, unaided, verify } from '../../test/calls.ts'
import type { VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { Committed, VerifyEvent } from './events.ts'

const stage = stageEngine()
const guesses = { drafted: true, ngram: 8, draft: 16 }
const modes = [
  ['lr', unaided],
  ['lr+sd', guesses],
] as const

const committed = (events: readonly VerifyEvent[]): Committed[] => events.filter((event) => event.type === 'commit')
const tokensOf = (commits: readonly Committed[]): number[] => commits.flatMap(({ tokens }) => tokens)
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

const cuts: [string, StepRulesInput][] = [
  ['blank lines', {}],
  ['sentences', { sentences: true }],
  ['several delimiters', { delimiters: [' and', ',', '5 a', '\n'] }],
  ['nothing but a cap of 5', { delimiters: [], max_tokens: 5, half_steps: 'verify' }],
  ['a cap of 1', { max_tokens: 1 }],
  [
    'sentences while it thinks, words when it answers',
    { sentences: true, answer: { delimiters: [' '], max_tokens: 5 } },
  ],
]

describe.each(cuts)('a text cut by %s', (_, step_rules) => {
  const prompt = 'How many apples has Ann?\n'
  const text =
    '<think>\nAnn has 3.5 apples, and eats 1.5 of them. Is it 2? Yes!\n\n' +
    '3.5 apples and 5 are, e.g. all of them, 8.5 apples.\nNot 9.\n\n</think>\n\nSo Ann has 2 apples. Bob has none, and so on.'
  const common = { step_rules, verifier: 'exact', sampling: { temperature: 0 } }
  const most = 500

  /** The target writes the text; the draft too, but for every 20th token. */
  function says(): void {
    const [own, start] = [stage.tokenizer.encode(text), stage.tokenizer.encode(prompt).length]
    const at = (read: readonly number[]) => own[read.length - start] ?? stage.end
    stage.says('target', at)
    stage.says('draft', (read) => ((read.length - start) % 20 === 19 ? own[0]! : at(read)))
  }

  /** Drafts, then verifies, until the text ends. */
  async function cycles(options: Partial<VerifyOptions>): Promise<Committed[]> {
    const commits: Committed[] = []
    while (!commits.at(-1)?.finish) {
      const { length } = tokensOf(commits)
      const context = length === 0 ? { id: 'run', prompt } : { id: 'run', length }
      const drafted = await draftSteps(stage.engine, context, 4, { step_rules, sampling: common.sampling })
      const request = { ...common, steps: drafted.map(({ id, text: step }) => ({ id, text: step })), max_tokens: most }
      const { commit } = await verify(stage.engine, { id: 'run', length }, { ...request, ...options })
      commits.push(commit)
    }
    stage.engine.contexts.drop('run')
    return commits
  }

  test.each(modes)('%s', async (_mode, speculation) => {
    says()
    const options = { ...common, max_tokens: most, decode: 'end', speculation: unaided } as const
    const { commit: plain } = await verify(stage.engine, { id: 'plain', prompt }, options)
    expect(plain).toMatchObject({ text, finish: 'stop' })
    const following = (overlap: boolean) =>
      follow(stage.engine, { prompt }, { ...common, speculation, depth: 4, overlap, max_tokens: most })
    const oneByOne = await cycles({ speculation })
    const followed = [committed(await following(true)), committed(await following(false))]
    for (const commits of [oneByOne, ...followed]) {
      expect(tokensOf(commits)).toEqual(plain.tokens)
      expect(sum(commits.map(({ accepted }) => accepted))).toBeGreaterThan(0)
    }
    const count = (commits: readonly Committed[]) => sum(commits.map(({ steps }) => steps))
    expect(count(oneByOne)).toBe(plain.steps)
    // Where cycles follow one another, a rejected step is cut, and its rest is another.
    for (const commits of followed) expect(count(commits)).toBeGreaterThanOrEqual(plain.steps)
  })
})

test('whether a step from elsewhere is whole goes by the part of the text that it begins in', async () => {
  const prompt = 'How many?\n<think>\n'
  const thought = 'We think.</think>\n\n'
  stage.writes('target', prompt, [thought, 'I b,'], [thought, 'We b,', 'So.'])
  stage.judges(() => 1)
  const verdicts = async (step_rules: StepRulesInput) => {
    const steps = [thought, 'We b,'].map((text) => ({ text }))
    const request = { steps, step_rules, max_tokens: 100, sampling: { temperature: 0 }, speculation: unaided }
    return (await verify(stage.engine, { id: 'run', prompt }, request)).verdicts.map(({ reason }) => reason)
  }
  expect(await verdicts({ answer: { delimiters: [','] } })).toEqual(['exact', 'judge'])
  expect(await verdicts({ reasoning: { delimiters: ['\n\n', ','] } })).toEqual(['exact', 'half_step'])
})

test('drafted steps go by the part of the text that each begins in, committed or not', async () => {
  const prompt = 'How many?\n<think>\n'
  const text = 'We a, b.\n\nWe c.\n</think>\n\nWe d, e.\n\n'
  stage.writes('draft', prompt, [text])
  const options = { step_rules: { answer: { delimiters: [','] } }, sampling: { temperature: 0 } }
  const drafted = async (output: number[], depth: number) =>
    (await draftSteps(stage.engine, { id: 'run', prompt, output }, depth, options)).map((step) => step.text)
  const steps = ['We a, b.\n\n', 'We c.\n</think>\n\n', 'We d,']
  expect(await drafted([], 3)).toEqual(steps)
  expect(await drafted(stage.tokenizer.encode(steps.slice(0, 2).join('')), 1)).toEqual(steps.slice(2))
})

test.each(modes)(
  'the shipped models write the same text with sentences as steps as without: %s',
  async (_, speculation) => {
    const messages = testProblems(1).map(({ question }) => ({ role: 'user' as const, content: question }))
    const common = { sampling: { temperature: 0 }, max_tokens: 80, verifier: 'exact' }
    const { commit } = await verify(stage.engine, { id: 'plain', messages }, { ...common, decode: 'end', speculation })
    const step_rules = { sentences: true, delimiters: [','], max_tokens: 12 }
    const commits = committed(
      await follow(stage.engine, { messages }, { ...common, speculation, step_rules, depth: 4 }),
    )
    expect(tokensOf(commits)).toEqual(commit.tokens)
    expect(commits.length).toBeGreaterThan(3)
  },
)
