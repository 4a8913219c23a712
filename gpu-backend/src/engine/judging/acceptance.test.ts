/** What the target would not say is not accepted, however much it sounds like the target's own step. */
import path from 'node:path'
import type { Verdict } from '@lookahead/sdk/protocol'
import { afterAll, describe, expect, test } from 'vitest'
import { parseVerify } from '../../../test/calls.ts'
import { Engine } from '../engine.ts'
import { verifySteps } from '../decode/verify.ts'

const models = path.join(import.meta.dirname, '../../../models')
const signal = new AbortController().signal

const shells = 'Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?'
const ages =
  'The age of Mara is 21. The age of Tiko is 4 times that, and Sana is younger than Tiko by 58 years. ' +
  'How far is the sum of the three ages from 146?'

const [whole, reduced, ungated, judgeless] = await Promise.all([
  Engine.load({ models, slots: 2048 }),
  Engine.load({ models, slots: 2048, reducedLogits: true }),
  Engine.load({ models, slots: 2048, leastLogprob: -Infinity }),
  Engine.load({ models, slots: 2048, judge: false }),
])
afterAll(() => [whole, reduced, ungated, judgeless].forEach((engine) => engine.close()))

/** What becomes of the last of some drafted steps. */
async function rule(engine: Engine, question: string, steps: string[], drafted: boolean): Promise<Verdict | undefined> {
  const request = parseVerify({
    context: { id: 'run', messages: [{ role: 'user', content: question }] },
    steps: steps.map((text) => ({ text: `${text}\n\n` })),
    max_tokens: 400,
    sampling: { temperature: 0 },
    speculation: { drafted, ngram: 0, draft: 0 },
  })
  const verdicts: Verdict[] = []
  for await (const event of verifySteps(engine, await engine.context(request.context), request, signal))
    if (event.type === 'verdict') verdicts.push(event)
  return verdicts[steps.length - 1]
}

const facts = (one: string, other: string): string => `Given: 144 shells, 2/3 are ${one}, 4/8 of the rest are ${other}.`
const goal = (colour: string): string => `So what I want is the number of ${colour} shells.`
const part =
  'Now divide 144 by 3 to get one part of all shells:\n3×40=120\n144-120=24\n24/3=8\n40+8=48\nThat makes 48 shells.'
const old = (second: string, third: string): string =>
  `Given: Mara is 21, ${second} is 4 times as old, ${third} is 58 years younger than ${second}, compare with 146.`

/** Right steps, and others for the last of them. */
const cases: [string, string, string[], string[]][] = [
  ['a colour in the facts', shells, [facts('yellow', 'red')], [facts('white', 'red'), facts('yellow', 'black')]],
  ['a colour in the goal', shells, [facts('yellow', 'red'), goal('red')], [goal('white')]],
  ['a number', shells, [facts('yellow', 'red'), goal('red'), part], [part.replaceAll('144', '154')]],
  ['a name', ages, [old('Tiko', 'Sana')], [old('Dana', 'Sana'), old('Tiko', 'Lomi')]],
]

describe.each([
  ['taken as guesses, likeliest tokens', true, reduced],
  ['decoded, whole logits', false, whole],
] as const)('drafted tokens %s', (_, drafted, engine) => {
  test.each(cases)('%s that is not in the question', async (_case, question, right, wrong) => {
    expect(await rule(engine, question, right, drafted)).toMatchObject({ accepted: true })
    for (const last of wrong)
      expect(await rule(engine, question, [...right.slice(0, -1), last], drafted), last).toMatchObject({
        accepted: false,
      })
  })

  test('is refused before a judge is asked, who might take it for the same', async () => {
    const white = [facts('white', 'red')]
    expect(await rule(engine, shells, white, drafted)).toMatchObject({ accepted: false, reason: 'unlikely' })
    ungated.judge!.rule = (pairs) => Promise.resolve(pairs.map(() => 1))
    expect(await rule(ungated, shells, white, drafted)).toMatchObject({ accepted: true, reason: 'judge' })
  })
})

test.each([true, false])(
  'without a judge only what the target writes itself is accepted (guesses: %s)',
  async (drafted) => {
    const own = 'Let me write down the facts: 144 shells, 2/3 are yellow, 4/8 of the rest are red.'
    const openings = ['We know this', 'The problem says', 'Given', 'Okay, so here is what we have']
    const verdicts = await Promise.all(
      [own, ...openings.map((said) => own.replace('Let me write down the facts', said))].map((step) =>
        rule(judgeless, shells, [step], drafted),
      ),
    )
    const counted = verdicts.map((verdict) => `${verdict?.accepted} ${verdict?.reason}`).toSorted()
    expect(counted).toEqual([...Array<string>(4).fill('false no_judge'), 'true exact'])
  },
)
