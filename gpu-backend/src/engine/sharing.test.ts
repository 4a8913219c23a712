/** Texts share slots, wait for them and lose them: nobody may notice but by the time. Staged models see every key that is read. */
import { describe, expect, test } from 'vitest'
import { asDrafted, draftSteps, forget, verify, write } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { Stage } from '../../test/stage-engine.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const greedy = { temperature: 0, seed: 1 }

/** A letter after every text, which a change in any place changes. The draft is right two times in three. */
function stageBoth({ says, tokenizer }: Stage): void {
  const letters = tokenizer.encode('abcdefghijklmnop.')
  const after = (text: readonly number[]): number => {
    const hash = text.reduce((sum, token) => Math.imul(sum ^ token, 0x01000193) >>> 0, 0x811c9dc5)
    return letters[(hash >>> 8) % letters.length]!
  }
  says('target', after)
  says('draft', (text) => (text.length % 3 === 0 ? letters[0]! : after(text)))
}

describe('with room for all', () => {
  const staged = stageEngine({ slots: 8192 })

  test('a text that differs from another in one token, wherever, is read for itself from there', async () => {
    stageBoth(staged)
    const text = Array.from({ length: 90 }, (_, i) => 300 + i)
    const same = await write(staged.engine, text, { maxTokens: 4 })
    const others: string[] = []
    for (let place = 0; place < text.length; place++) {
      // So that nothing but the one text stands there.
      forget(staged.engine)
      await write(staged.engine, text, { maxTokens: 4 })
      const other = await write(staged.engine, text.with(place, 7), { maxTokens: 4 })
      // Fewer than 16 common tokens are not worth sharing.
      expect(other.cachedTokens).toBe(place < 16 ? 0 : Math.min(place, text.length - 1))
      others.push(other.text)
    }
    // A hash of 17 letters to the power of 4 seldom meets another.
    expect(others.filter((other) => other === same.text).length).toBeLessThan(3)
    expect(await write(staged.engine, text, { maxTokens: 4 })).toMatchObject({ text: same.text, cachedTokens: 89 })
  })

  test('texts that branch off each other at every place share what they have in common', async () => {
    stageBoth(staged)
    const [one, two] = [Array.from({ length: 60 }, (_, i) => 300 + i), Array.from({ length: 60 }, (_, i) => 400 + i)]
    for (let place = 60; place > 20; place--)
      for (const rest of [two, one]) {
        const text = [...one.slice(0, place), ...rest.slice(place), 7, 8]
        const { cachedTokens } = await write(staged.engine, text, { maxTokens: 1 })
        if (place < 60) expect(cachedTokens).toBeGreaterThanOrEqual(place)
        expect((await write(staged.engine, text, { maxTokens: 1 })).cachedTokens).toBe(text.length - 1)
      }
  })

  test('what is read for the first time at the same moment is read once', async () => {
    stageBoth(staged)
    const text = Array.from({ length: 200 }, (_, i) => 300 + i)
    const before = staged.engine.stats.target!.newTokens
    const texts = await Promise.all([1, 2, 3, 4].map(() => write(staged.engine, text, { maxTokens: 3 })))
    expect(new Set(texts.map((written) => written.text)).size).toBe(1)
    expect(staged.engine.stats.target!.newTokens - before).toBeLessThan(250)
  })

  test('several steps of one text at the same time see what is before them, and not each other', async () => {
    stageBoth(staged)
    const steps = ['We have.', 'We eat.', 'We are left.', 'So.'].map((text) => ({ text }))
    const context = { id: 'run', prompt }
    const request = {
      steps,
      step_rules: { delimiters: ['.'], max_tokens: 12 },
      max_tokens: 200,
      sampling: greedy,
    }
    staged.judges(() => 1)
    for (const speculation of [asDrafted, { drafted: false, ngram: 4, draft: 4 }]) {
      const { commit } = await verify(staged.engine, context, { ...request, speculation })
      expect(commit.accepted).toBeGreaterThan(0)
      const again = await verify(
        staged.engine,
        { id: 'run', length: commit.tokens.length },
        { ...request, speculation },
      )
      expect(again.commit.tokens.length).toBeGreaterThan(0)
    }
  })
})

describe('with too little room', () => {
  const staged = stageEngine({ slots: 256, batchTokens: 24 })

  /** The cycle, as the worker runs it. */
  async function cycles(id: string, question: string, length: number): Promise<number[]> {
    const output: number[] = []
    const whole = { id, prompt: question }
    while (output.length < length) {
      const context = output.length === 0 ? whole : { ...whole, output }
      const common = { sampling: greedy, step_rules: { delimiters: ['.'], max_tokens: 10 } }
      const steps = (await draftSteps(staged.engine, context, 3, common)).map((step) => ({
        id: step.id,
        text: step.text,
      }))
      const request = { ...common, steps, verifier: 'exact', max_tokens: length - output.length } as const
      const speculation = { drafted: true, ngram: 4, draft: 4 }
      const { commit } = await verify(staged.engine, context, { ...request, speculation })
      output.push(...commit.tokens)
    }
    return output
  }

  test('many texts at once each become what they become alone, and every slot comes back', async () => {
    stageBoth(staged)
    const question = (i: number): string => `${'Ann has a lot of apples, and eats some. '.repeat(1 + (i % 2))}${i}?\n`
    const kinds = [
      (i: number) => cycles(`run ${i}`, question(i), 40),
      async (i: number) => {
        const text = staged.tokenizer.encode(question(i))
        return (await write(staged.engine, text, { maxTokens: 40, draft: 4, ngram: 4, sampling: greedy })).tokens
      },
    ]
    const calls = Array.from({ length: 16 }, (_, i) => () => kinds[i % 2]!(i >> 1))
    const alone: number[][] = []
    for (const call of calls) alone.push(await call())
    const { evictions, preemptions } = staged.engine.stats.target!
    for (let round = 0; round < 3; round++) expect(await Promise.all(calls.map((call) => call()))).toEqual(alone)
    expect(alone.map((tokens) => tokens.length)).toEqual(alone.map(() => 40))
    expect(staged.engine.stats.target!.evictions).toBeGreaterThan(evictions)
    expect(staged.engine.stats.target!.preemptions).toBeGreaterThan(preemptions)
  })
})
