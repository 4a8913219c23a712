/** A run as two calls that follow one another: a draft call beside calls that verify. */
import path from 'node:path'
import { DraftEvent, VerifyEvent, parseRequest, readEvents } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 4096 })
})
afterAll(() => engine.close())
afterEach(async () => {
  vi.restoreAllMocks()
  await expect.poll(() => engine.contexts.running).toBe(0)
  for (const { runner } of engine.runners) runner.kv.assertIdle()
})

const app = createApp({ engine: () => engine, draining: () => false })
const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
const sampling = { temperature: 0 }
const post = async (url: string, body: object) => app.request(url, { method: 'POST', body: JSON.stringify(body) })
const draft = (id: string) => post('/v1/draft', { context: { id, messages }, depth: 1, follow: true, sampling })
const verify = (context: object, more: object = {}) =>
  post('/v1/verify', { context, follow: true, depth: 4, verifier: 'exact', max_tokens: 400, sampling, ...more })

async function read<Event>(
  response: Response,
  parse: (value: unknown) => Event,
  until: (event: Event) => boolean = () => false,
) {
  const events: Event[] = []
  for await (const { data } of readEvents(response.body!)) {
    events.push(parse(JSON.parse(data)))
    if (until(events.at(-1)!)) break
  }
  return events
}
const verified = (response: Response, until?: (event: VerifyEvent) => boolean) =>
  read(response, (value) => value as VerifyEvent, until)
const tokensOf = (events: readonly VerifyEvent[]) =>
  events.flatMap((event) => (event.type === 'commit' ? event.tokens : []))

const plain = async () => {
  const context = { id: 'plain', messages }
  const response = await post('/v1/verify', { context, decode: 'end', max_tokens: 400, sampling, verifier: 'exact' })
  return tokensOf(await verified(response))
}

test('alternatives: as many as the call that verifies asks for, each told before it is ruled on', async () => {
  const context = { id: 'wide', messages }
  const draws = { sampling: { temperature: 1, seed: 3 } }
  const drafting = await post('/v1/draft', { context, depth: 1, follow: true, ...draws })
  const [drafted, events] = await Promise.all([
    read(drafting, (value) => value as DraftEvent),
    verified(await verify(context, { width: 4, max_tokens: 60, ...draws })),
  ])
  expect(drafted.at(-1)!.type).toBe('done')
  for (const event of events) parseRequest(VerifyEvent, event)
  const seen = new Set<string>()
  const numbers = new Set<number>()
  for (const event of events) {
    if (event.type === 'cycle') seen.clear()
    if (event.type !== 'step' && event.type !== 'verdict') continue
    const name = `${event.index}.${event.alternative}`
    numbers.add(event.alternative ?? 0)
    if (event.type === 'step') seen.add(name)
    else expect(seen).toContain(name)
  }
  expect(numbers).toEqual(new Set([0, 1, 2, 3]))
})

test.each([
  ['the draft call', true],
  ['the call that verifies', false],
])('both bring the whole context, and %s may come first', async (_, draftsFirst) => {
  const calls = [() => draft('run'), () => verify({ id: 'run', messages })]
  const [first, second] = draftsFirst ? calls : calls.toReversed()
  const responses = [await first!(), await second!()]
  const [drafting, verifying] = draftsFirst ? responses : responses.toReversed()
  const [drafted, events] = await Promise.all([read(drafting!, (value) => value as DraftEvent), verified(verifying!)])
  expect(tokensOf(events)).toEqual(await plain())
  // The text is over: so is the draft call.
  expect(drafted.at(-1)!.type).toBe('done')
  expect(events.at(-1)!.type).toBe('done')
  expect(events.filter(({ type }) => type === 'cycle').length).toBe(
    events.filter(({ type }) => type === 'commit').length,
  )
  expect(engine.contexts.size).toBe(0)
})

test('another call goes on where the one at work ends, after its cycle', async () => {
  const drafting = draft('run').then((response) => response.text())
  const first = await verify({ id: 'run', messages })
  const second = verify({ id: 'run', continues: true }, { depth: 0 })
  const before = await verified(first)
  expect(before.at(-1)!.type).toBe('done')
  expect(before.some((event) => event.type === 'commit' && event.finish_reason !== null)).toBe(false)
  const after = await verified(await second)
  expect(after[0]).toMatchObject({ type: 'context', output_tokens: tokensOf(before).length })
  expect([...tokensOf(before), ...tokensOf(after)]).toEqual(await plain())
  expect(after.some(({ type }) => type === 'step')).toBe(false)
  await drafting
})

test('so it does where the draft is asked for only then, and by a later call', async () => {
  const first = await verify({ id: 'run', messages }, { depth: 0, decode: 1 })
  const second = verify({ id: 'run', continues: true })
  const drafting = post('/v1/draft', { context: { id: 'run', continues: true }, depth: 1, follow: true, sampling })
  const drafted = drafting.then((response) => response.text())
  const before = await verified(first)
  expect(before.some((event) => event.type === 'commit' && event.finish_reason !== null)).toBe(false)
  const after = await verified(await second)
  expect([...tokensOf(before), ...tokensOf(after)]).toEqual(await plain())
  expect(after.some(({ type }) => type === 'step')).toBe(true)
  expect(await drafted).toContain('"type":"done"')
})

test('one that would go on after the end of the text is told so at once', async () => {
  const first = await verify({ id: 'run', messages }, { depth: 0, max_tokens: 5 })
  const second = verify({ id: 'run', continues: true })
  await verified(first)
  const lost = await second
  expect([lost.status, await lost.json()]).toMatchObject([409, { error: { code: 'context_lost' } }])
  expect((await verify({ id: 'nowhere', continues: true })).status).toBe(409)
})

test('a draft that fails costs the text nothing', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const { model } = engine.draft!
  const forward = model.forward.bind(model)
  let forwards = 0
  vi.spyOn(model, 'forward').mockImplementation((rows) =>
    ++forwards > 30 ? Promise.reject(new Error('staged')) : forward(rows),
  )
  const drafting = draft('run').then((response) => response.text())
  const events = await verified(await verify({ id: 'run', messages }))
  expect((await drafting).includes('"type":"error"')).toBe(true)
  vi.restoreAllMocks()
  expect(tokensOf(events)).toEqual(await plain())
  expect(log).toHaveBeenCalled()
})

test('who leaves the call that verifies ends the draft call too', async () => {
  const drafting = draft('run').then((answer) => answer.text())
  const response = await verify({ id: 'run', messages })
  await verified(response, ({ type }) => type === 'commit')
  expect((await drafting).includes('"type":"done"')).toBe(true)
  expect(engine.contexts.size).toBe(0)
})

test.each([
  ['another takes its place', () => verify({ id: 'run', messages }, { depth: 0, max_tokens: 1 })],
  ['it is given up', () => app.request('/v1/contexts/run', { method: 'DELETE' })],
])('a call whose text is taken away, because %s, does not end as if that were complete', async (_, take) => {
  const response = await verify({ id: 'run', messages }, { depth: 0 })
  const events = verified(response)
  await expect.poll(() => engine.contexts.find('run')?.outputLength).toBeGreaterThan(0)
  await (await take()).text()
  expect((await events).at(-1)).toMatchObject({ type: 'error', error: { code: 'context_lost' } })
})

test('two texts of one name are not mixed up: the later one takes the place', async () => {
  const other = [{ role: 'user', content: 'Ben has 5 pears and buys 4. How many has he?' }]
  const drafting = await draft('run')
  const events = await verified(await verify({ id: 'run', messages: other }, { depth: 0 }))
  expect(await drafting.text()).toContain('"type":"done"')
  const alone = await verified(await verify({ id: 'alone', messages: other }, { depth: 0 }))
  expect(tokensOf(events)).toEqual(tokensOf(alone))
})
