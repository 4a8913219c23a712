import { describe, expect, it } from 'vitest'
import { about, client } from './ask.ts'

const shells = (one: string, other: string) =>
  `Ann has 144 shells. 2/3 of them are ${one}, and 4/8 of the rest are ${other}. How many shells are ${other}?`

const COLOURS = ['red', 'blue', 'green', 'white', 'black', 'yellow']

describe.each([
  ['yellow', 'red'],
  ['blue', 'black'],
])('shells that are %s and %s', (one, other) => {
  it.each(['lr', 'lr+sd'] as const)('have no other colour in mode %s', async (mode) => {
    const texts = await Promise.all(
      Array.from({ length: 4 }, (_, seed) =>
        client.runs
          .stream(about(shells(one, other), { sampling: { seed }, lookahead: { mode }, max_tokens: 600 }))
          .final(),
      ),
    )
    const others = COLOURS.filter((colour) => colour !== one && colour !== other)
    expect(texts.filter(({ text }) => others.some((colour) => text.includes(colour))).map(({ text }) => text)).toEqual(
      [],
    )
    expect(texts.some(({ stats }) => stats.accepted_steps > 0)).toBe(true)
  })
})
