/** Which numbers decide what: draft and target draw alike where that helps, and from nothing in common anywhere else. */
import { describe, expect, test } from 'vitest'
import { asDrafted, draftSteps, unaided, verify } from '../../test/calls.ts'
import type { VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import { anyOf } from '../../test/staged.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const STEP = 5
const staged = stageEngine()
const digits = (): number[] => staged.tokenizer.encode('0123456789')
/** As any digit may come after any text, steps that are equal were drawn with the same numbers. */
const saysDigits = (role: 'target' | 'draft'): unknown => staged.says(role, () => anyOf(digits()))
const sampling = (seed?: number) => ({ temperature: 1, top_k: 0, top_p: 1, ...(seed === undefined ? {} : { seed }) })
const common = (seed?: number) => ({ sampling: sampling(seed), step_rules: { max_tokens: STEP } })

const named = ({ id, text }: { id: string; text: string }) => ({ id, text })

/** Drafts and verifies once. @param length of the output so far; undefined for a new text */
async function cycle(
  id: string,
  seed: number | undefined,
  depth: number,
  length?: number,
  options: Partial<VerifyOptions> = {},
) {
  const context = length === undefined ? { id, prompt } : { id, length }
  const steps = await draftSteps(staged.engine, context, depth, common(seed))
  const request = { ...common(seed), speculation: unaided, verifier: 'exact', max_tokens: 500 } as const
  const from = { id, length: length ?? 0 }
  const { commit, verdicts } = await verify(staged.engine, from, {
    ...request,
    steps: steps.map(named),
    ...options,
  })
  return { steps: steps.map(({ text }) => text), commit, verdicts }
}

const different = (texts: readonly string[]): void => expect(new Set(texts).size).toBe(texts.length)

describe('steps alone', () => {
  test.each([[undefined], [1], [2], [3]])('draft and target that agree write the same, with seed %s', async (seed) => {
    saysDigits('draft')
    saysDigits('target')
    const first = await cycle(`seed ${seed}`, seed, 4)
    const second = await cycle(`seed ${seed}`, seed, 4, first.commit.tokens.length)
    for (const { verdicts } of [first, second])
      expect(verdicts).toEqual([0, 1, 2, 3].map((index) => ({ index, accepted: true, reason: 'exact' })))
  })

  test('every seed, cycle, step and token has numbers of its own', async () => {
    saysDigits('draft')
    saysDigits('target')
    const steps: string[] = []
    for (const seed of [1, 2, 2 ** 40 + 1]) {
      const first = await cycle(`seed ${seed}`, seed, 4)
      const second = await cycle(`seed ${seed}`, seed, 4, first.commit.tokens.length)
      steps.push(...first.steps, first.commit.correction, ...second.steps, second.commit.correction)
    }
    different(steps)
    // In at least one place of ten the tokens of a step are not all the same.
    expect(steps.filter((step) => new Set(step).size === 1)).toEqual([])
  })

  test('without a seed no two texts are drawn with the same numbers', async () => {
    saysDigits('draft')
    saysDigits('target')
    const [one, other] = [await cycle('one', undefined, 2), await cycle('other', undefined, 2)]
    different([...one.steps, ...other.steps])
  })

  test.each([
    ['is asked for, with guesses or none', { coupled: true }, [unaided, asDrafted], 4],
    ['is not', { coupled: false }, [unaided], 0],
  ])('draft and target draw from the same numbers where that %s', async (_, coupling, speculations, accepted) => {
    saysDigits('draft')
    saysDigits('target')
    for (const seed of [undefined, 3])
      for (const speculation of speculations) {
        const id = `coupled ${seed}`
        expect((await cycle(id, seed, 4, undefined, { ...coupling, speculation })).commit.accepted).toBe(accepted)
        staged.engine.contexts.drop(id)
      }
  })

  test('the same seed gives the same text', async () => {
    saysDigits('draft')
    saysDigits('target')
    const [one, other] = [await cycle('one', 7, 3), await cycle('other', 7, 3)]
    expect(other).toEqual(one)
  })
})

test('without a seed a drafted step that was a guess, and wrong, says nothing of what the target draws in its place', async () => {
  const [wrong, right] = staged.tokenizer.encode('xy') as [number, number]
  const start = staged.tokenizer.encode(prompt).length
  staged.says('draft', (text) => (text.length === start ? wrong : anyOf(digits())))
  staged.says('target', (text) => (text.length === start ? right : anyOf(digits())))
  let same = 0
  const [texts, step] = [60, 8]
  for (let n = 0; n < texts; n++) {
    const options = { sampling: sampling(), step_rules: { max_tokens: step } }
    const [drafted] = await draftSteps(staged.engine, { id: 'run', prompt }, 1, options)
    const request = { ...options, steps: [{ id: drafted!.id, text: drafted!.text }], max_tokens: 100 }
    const { commit } = await verify(
      staged.engine,
      { id: 'run', length: 0 },
      { ...request, verifier: 'exact', speculation: asDrafted },
    )
    expect(commit.text).toHaveLength(step)
    for (let i = 1; i < step; i++) if (commit.text[i] === drafted!.text[i]) same++
  }
  // One in ten, by chance: 42 of 420, give or take 6.
  expect(same).toBeLessThan(75)
})

describe('where there are guesses', () => {
  /** The judge accepts so many steps. @returns what the target writes after them */
  const after = async (id: string, seed: number, accepted: number, length?: number) => {
    staged.judges((_, draft) => accepted - draft.length + 1.5)
    const context = length === undefined ? { id, prompt } : { id, length }
    const { commit } = await verify(staged.engine, context, {
      ...common(seed),
      step_rules: { delimiters: ['.'], max_tokens: STEP },
      // The n-th step has n letters; there are no numbers to be rejected for.
      steps: [{ text: 'x.' }, { text: 'xx.' }, { text: 'xxx.' }],
      speculation: asDrafted,
      max_tokens: 500,
    })
    expect(commit.accepted).toBe(accepted)
    return commit
  }

  test('every step, cycle and seed has numbers of its own too', async () => {
    const letters = staged.tokenizer.encode('abcdefghjk')
    const [dot] = staged.tokenizer.encode('.') as [number]
    const start = staged.tokenizer.encode(prompt).length
    const shown: string[] = []
    staged.says('target', (text) => {
      const written = text.slice(start).toReversed()
      const last = written.findIndex((token) => !letters.includes(token))
      return (last < 0 ? written.length : last) === STEP - 1 ? dot : anyOf(letters)
    })
    for (const seed of [1, 2])
      for (const accepted of [1, 2]) {
        const id = `${seed} ${accepted}`
        const first = await after(id, seed, accepted - 1)
        const second = await after(id, seed, accepted - 1, first.tokens.length)
        shown.push(first.correction, second.correction)
      }
    different(shown)
  })
})
