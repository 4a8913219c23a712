import { describe, expect, test } from 'vitest'
import { embedding } from './index.ts'
import type { DraftVersion, Pair, TargetVersion } from './index.ts'

const tokensOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!)
const pairOf = (
  drafted: string,
  targets: string,
  ends: { draft?: DraftVersion['end']; target?: TargetVersion['end'] } = {},
): Pair => ({
  draft: { text: drafted, tokens: tokensOf(drafted), end: ends.draft ?? 'delimiter', unlikely: false },
  target: { text: targets, tokens: tokensOf(targets), end: 'target' in ends ? ends.target : 'delimiter' },
})

/** A vector at so many degrees, which the text ends with. */
const embedAngles = async (texts: readonly string[]) =>
  texts.map((text) => {
    const angle = (Number(/\((-?\d+)°\)/.exec(text)?.[1]) * Math.PI) / 180
    return Float32Array.of(Math.cos(angle), Math.sin(angle))
  })
const { signal } = new AbortController()

describe('embedding', () => {
  test('accepts from its threshold of a cosine on, 0.85 unless told otherwise', async () => {
    // cos 31° = 0.857, cos 32° = 0.848; cos 18° = 0.951, cos 19° = 0.946.
    const angles = [0, 18, 19, 31, 32, 90, 180].map((angle) => pairOf(`a (${angle}°)`, 'b (0°)'))
    const accepts = async (threshold?: number) =>
      (await embedding({ embed: embedAngles, threshold }).ask!(angles, signal)).map((ruling) => ruling?.accepted)
    expect(await accepts()).toEqual([true, true, true, true, false, false, false])
    expect(await accepts(0.95)).toEqual([true, true, false, false, false, false, false])
    expect(await accepts(1)).toEqual([true, false, false, false, false, false, false])
    expect(await accepts(-1)).toEqual([true, true, true, true, true, true, true])
  })

  test('takes the threshold that a request asks for', async () => {
    const stricter = embedding({ embed: embedAngles, leastLogprob: -4 }).withThreshold!(0.95)
    expect([stricter.name, stricter.leastLogprob]).toEqual(['embedding', -4])
    expect(
      (await stricter.ask!([pairOf('a (18°)', 'b (0°)'), pairOf('a (31°)', 'b (0°)')], signal)).map(
        (ruling) => ruling?.accepted,
      ),
    ).toEqual([true, false])
  })

  test('asks once for the steps of all pairs, and gives each pair its ruling', async () => {
    const asked: (readonly string[])[] = []
    const { ask } = embedding({ embed: (texts) => (asked.push(texts), embedAngles(texts)) })
    const pairs = [pairOf('a (0°)', 'b (90°)'), pairOf('c (90°)', 'd (91°)')]
    expect(await ask!(pairs, signal)).toEqual([
      { accepted: false, reason: 'embedding' },
      { accepted: true, reason: 'embedding' },
    ])
    expect(asked).toEqual([['a (0°)', 'b (90°)', 'c (90°)', 'd (91°)']])
  })

  test('what is no vector is not alike', async () => {
    const { ask } = embedding({ embed: async (texts) => texts.map(() => Float32Array.of(Number.NaN)), threshold: -1 })
    expect(await ask!([pairOf('a', 'b')], signal)).toEqual([{ accepted: false, reason: 'embedding' }])
  })

  test('needs no encoder for what is plain to see', () => {
    const { rule } = embedding({ embed: embedAngles })
    expect(rule(pairOf('So 12 apples.\n\n', 'So 12  Apples.\n\n'))).toEqual({ accepted: true, reason: 'exact' })
    expect(rule(pairOf('So 12 apples.\n\n', 'We get 13.\n\n'))).toEqual({ accepted: false, reason: 'numbers' })
    expect(rule(pairOf('So 12 app', 'We get 12.\n\n', { draft: 'cap' }))).toEqual({
      accepted: false,
      reason: 'half_step',
    })
    expect(rule(pairOf('It is 12.', 'So 12.\n\n', { draft: 'text' }))).toEqual({ accepted: false, reason: 'end' })
    expect(rule(pairOf('So 12 apples.\n\n', 'We get', { target: undefined }))).toBeUndefined()
    expect(rule(pairOf('So 12 apples.\n\n', 'We get 12 apples.\n\n'))).toBeUndefined()
  })

  test('leaves numbers and names to the encoder where it has no rules', () => {
    const { rule } = embedding({ embed: embedAngles, rules: [] })
    expect(rule(pairOf('So 12 apples.\n\n', 'We get 13.\n\n'))).toBeUndefined()
    expect(rule(pairOf('So x has 12.\n\n', 'Now, Mara has 12.\n\n'))).toBeUndefined()
    expect(rule(pairOf('It is 12.', 'So 12.\n\n', { draft: 'text' }))).toEqual({ accepted: false, reason: 'end' })
  })

  test('accepts what the target finds unlikely, unless it is told from where on not to', () => {
    const { draft, target } = pairOf('So 12 apples.\n\n', 'We get 12 apples.\n\n')
    const pair = { target, draft: { ...draft, unlikely: true } }
    const gated = embedding({ embed: embedAngles, leastLogprob: -4 })
    expect(gated.leastLogprob).toBe(-4)
    expect(gated.rule(pair)).toEqual({ accepted: false, reason: 'unlikely' })
    expect(embedding({ embed: embedAngles }).leastLogprob).toBeUndefined()
  })
})
