/** Tokens come as often as the target makes them, whatever is guessed, in every call; and by whose settings. */
import { describe, expect, test } from 'vitest'
import { asDrafted, draftSteps, unaided, verify, write } from '../../test/calls.ts'
import type { GenerateOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import { weighed } from '../../test/staged.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const context = { id: 'run', prompt }
const staged = stageEngine()
const tokensOf = (text: string): number[] => staged.tokenizer.encode(text)
const letters = 'abcd'
const LENGTH = 10
const TEXTS = 120
/** Where faults are subtle. */
const MANY_TEXTS = 300
/** 99.99 % point of χ² with 12 degrees of freedom: with fixed seeds this never fails by chance. */
const CRITICAL = 39.1

/** Turns with the last letter, so that places cannot be mixed up unnoticed. */
function weightsAfter(last: number, weights: readonly number[]): number[] {
  return weights.map((_, i) => weights[(i + last) % weights.length]!)
}

const target = [0.5, 0.3, 0.15, 0.05]
const draft = [0.1, 0.2, 0.3, 0.4]

/** Both models write letters, each with its own likings. */
function stageBoth(): void {
  const known = tokensOf(letters)
  for (const [role, weights] of [
    ['target', target],
    ['draft', draft],
  ] as const)
    staged.says(role, (text) => {
      const turned = weightsAfter(Math.max(0, known.indexOf(text.at(-1)!)), weights)
      return weighed(new Map(known.map((token, i) => [token, turned[i]!])))
    })
}

const drawn = (seed: number) => ({ temperature: 1, top_k: 0, top_p: 1, seed })

/** Letters after letters, against how often the target has them there. */
function expectOfTheTarget(texts: readonly string[]): void {
  const counts = Array.from(letters, () => Array.from(letters, () => 0))
  for (const text of texts)
    for (let i = 0; i < text.length; i++) {
      const last = i === 0 ? 0 : letters.indexOf(text[i - 1]!)
      counts[last]![letters.indexOf(text[i]!)]!++
    }
  let distance = 0
  for (const [last, own] of counts.entries()) {
    const total = own.reduce((a, b) => a + b)
    expect(total).toBeGreaterThan(100)
    const expected = weightsAfter(last, target).map((weight) => weight * total)
    distance += own.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0)
  }
  expect(distance, JSON.stringify(counts)).toBeLessThan(CRITICAL)
}

describe('letters come as often as the target makes them', () => {
  test.each<[string, GenerateOptions]>([
    ['without guesses', {}],
    ['guesses of the draft model', { draft: 4 }],
    ['guesses copied from the text', { ngram: 4 }],
    ['both', { ngram: 4, draft: 4 }],
  ])('in a completion: %s', async (_, guesses) => {
    stageBoth()
    const texts: string[] = []
    let kept = 0
    for (let seed = 0; seed < (guesses.draft ? MANY_TEXTS : TEXTS); seed++) {
      const { text, speculation } = await write(staged.engine, tokensOf(prompt), {
        maxTokens: LENGTH,
        sampling: drawn(seed),
        ...guesses,
      })
      texts.push(text)
      kept += speculation.accepted
    }
    expectOfTheTarget(texts)
    if (guesses.draft !== undefined || guesses.ngram !== undefined) expect(kept).toBeGreaterThan(TEXTS / 4)
  })

  test.each([
    ['unaided', unaided],
    ['the drafted tokens are guesses', asDrafted],
    ['the draft model guesses', { ...unaided, draft: 4 }],
    ['all guess', { drafted: true, ngram: 4, draft: 4 }],
  ])('in drafted and verified steps: %s', async (_, speculation) => {
    stageBoth()
    const texts: string[] = []
    for (let seed = 0; seed < (speculation === unaided ? MANY_TEXTS : TEXTS); seed++) {
      const common = { sampling: drawn(seed), step_rules: { max_tokens: 3 } }
      let [text, length] = ['', 0]
      while (length < LENGTH) {
        const from = length === 0 ? context : { id: 'run', length }
        const steps = (await draftSteps(staged.engine, from, 2, common)).map(({ id, text: own }) => ({ id, text: own }))
        const request = { ...common, steps, verifier: 'exact', speculation, max_tokens: LENGTH - length } as const
        const { commit } = await verify(staged.engine, { id: 'run', length }, request)
        text += commit.text
        length += commit.tokens.length
      }
      texts.push(text)
    }
    expectOfTheTarget(texts)
  })
})

test('guesses drawn as the target draws are all kept', async () => {
  const known = tokensOf(letters)
  for (const role of ['target', 'draft'] as const)
    staged.says(role, () => weighed(new Map(known.map((token, i) => [token, target[i]!]))))
  const [sampling, maxTokens] = [drawn(1), 60]
  const { speculation } = await write(staged.engine, tokensOf(prompt), { sampling, maxTokens, draft: 4 })
  expect(speculation.proposed).toBeGreaterThan(30)
  expect(speculation.accepted).toBe(speculation.proposed)
  const steps = await draftSteps(staged.engine, context, 3, { sampling, step_rules: { max_tokens: 8 } })
  const request = {
    sampling,
    step_rules: { max_tokens: 8 },
    max_tokens: 100,
    verifier: 'exact',
    speculation: asDrafted,
  } as const
  const { commit } = await verify(
    staged.engine,
    { id: 'run', length: 0 },
    { ...request, steps: steps.map(({ id, text }) => ({ id, text })) },
  )
  expect(commit.accepted).toBe(3)
})

test('a penalty counts the guesses before each guess', async () => {
  const [often, other] = tokensOf('ab') as [number, number]
  const say = () =>
    new Map([
      [often, 10],
      [other, 0],
    ])
  staged.says('target', say)
  staged.says('draft', () => often)
  const options = { maxTokens: 12, rules: { frequencyPenalty: 3 }, sampling: { temperature: 0, seed: 1 } }
  const { text } = await write(staged.engine, tokensOf(prompt), options)
  const guessed = await write(staged.engine, tokensOf(prompt), { ...options, draft: 8 })
  expect(text.startsWith('aaaab')).toBe(true)
  expect([guessed.text, guessed.speculation.accepted > 0]).toEqual([text, true])
})

describe('the settings', () => {
  /** Letters that come in many texts of one token, by both calls. */
  async function seen(sampling: object, weights: readonly number[]): Promise<Map<string, number>> {
    const known = tokensOf(letters)
    for (const role of ['target', 'draft'] as const)
      staged.says(role, () => weighed(new Map(known.map((token, i) => [token, weights[i]!]))))
    const counts = new Map<string, number>()
    const count = (text: string): unknown => counts.set(text, (counts.get(text) ?? 0) + 1)
    for (let seed = 0; seed < 200; seed++) {
      const own = { sampling: { ...sampling, seed } }
      count((await write(staged.engine, tokensOf(prompt), { ...own, maxTokens: 1 })).text)
      count((await verify(staged.engine, context, { ...own, max_tokens: 1, speculation: unaided })).commit.text)
      count((await draftSteps(staged.engine, context, 1, { ...own, step_rules: { max_tokens: 1 } }))[0]!.text)
    }
    return counts
  }

  test.each([
    ['all', { temperature: 1, top_p: 1 }, 'abcd'],
    ['top-k', { temperature: 1, top_p: 1, top_k: 2 }, 'ab'],
    ['top-p', { temperature: 1, top_p: 0.75 }, 'ab'],
    ['min-p', { temperature: 1, top_p: 1, min_p: 0.4 }, 'ab'],
    ['temperature 0', { temperature: 0 }, 'a'],
    // 0.5 + 0.3 + 0.15 reach 0.95 at temperature 1.
    ['the model’s own top-p', { temperature: 1 }, 'abc'],
  ])('%s: %j', async (_, sampling, come) => {
    const counts = await seen(sampling, [0.51, 0.3, 0.15, 0.04])
    expect([...counts.keys()].toSorted().join('')).toBe(come)
  })

  test('the model’s own temperature, where the request has none', async () => {
    // At 0.6 the second is (1/10) ** (1 / 0.6) as likely as the first: 13 of 600, against 55 at 1.
    const counts = await seen({ top_p: 1 }, [1, 0.1, 1e-9, 1e-9])
    expect(counts.get('b') ?? 0).toBeLessThan(30)
    expect(counts.get('b') ?? 0).toBeGreaterThan(3)
  })
})
