/** Stored responses, read again by OpenAI's own client. */
import OpenAI, { BadRequestError, NotFoundError } from 'openai'
import { describe, expect, inject, it } from 'vitest'
import { backendHealth, problems } from './ask.ts'

const client = new OpenAI({ baseURL: `${inject('workerURL')}/v1`, apiKey: 'none', maxRetries: 0 })
const { question, answer } = problems[0]!
/** OpenAI's types do not know the field. */
const lookahead = { mode: 'lr+sd', depth: 4 } as const
const asked = { model: 'target', input: question, temperature: 0, store: true, lookahead }
const endless = { ...asked, input: 'Count as far as you can.', lookahead: { mode: 'ar' } }

type Event = OpenAI.Responses.ResponseStreamEvent

/** The events of a stream, which is left after so many. */
async function read(stream: AsyncIterable<Event>, most = Infinity): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of stream) if (events.push(event) >= most) break
  return events
}

const idIn = ([first]: Event[]): string => (first?.type === 'response.created' ? first.response.id : '')
const textOf = (events: Event[]): string =>
  events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')

describe('a stored response', () => {
  it.each([[], ['lookahead.events']])('goes on where its reader was cut off: %s', async (...include) => {
    const request = { ...asked, include: include as OpenAI.Responses.ResponseIncludable[] }
    const seen = await read(await client.responses.create({ ...request, stream: true }), 4)
    const id = idIn(seen)
    for (const more of [1, 3, Infinity]) {
      const starting_after = seen.at(-1)!.sequence_number
      const stream = await client.responses.retrieve(id, { stream: true, starting_after })
      seen.push(...(await read(stream, more)))
    }
    expect(seen.map((event) => event.sequence_number)).toEqual(seen.map((_, at) => at))
    expect(await read(await client.responses.retrieve(id, { stream: true }))).toEqual(seen)
    const end = seen.at(-1)!
    const whole = await client.responses.retrieve(id)
    expect(whole).toMatchObject({ id, status: 'completed', store: true, output_text: textOf(seen) })
    expect(end).toMatchObject({
      type: 'response.completed',
      response: { id, output: whole.output, usage: whole.usage },
    })
    expect(whole.output_text).toContain(answer)
    expect(await read(await client.responses.retrieve(id, { stream: true, starting_after: seen.length - 1 }))).toEqual(
      [],
    )
  })

  it('is in one piece what it is as a stream, and without being stored', async () => {
    const { output_text, usage, id } = await client.responses.create(asked)
    const other = await client.responses.create({ ...asked, store: false })
    expect([output_text, usage]).toEqual([other.output_text, other.usage])
    expect(textOf(await read(await client.responses.retrieve(id, { stream: true })))).toBe(output_text)
  })

  it('is cancelled after it was resumed, down to the GPU', async () => {
    const seen = await read(await client.responses.create({ ...endless, stream: true }), 6)
    const id = idIn(seen)
    const rest = read(await client.responses.retrieve(id, { stream: true, starting_after: 5 }))
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'in_progress', error: null })
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: 'cancelled', error: { code: 'cancelled' } })
    expect((await rest).at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'cancelled' } })
    await expect.poll(async () => (await backendHealth()).running).toBe(0)
  })

  it('is written in the background, and deleted', async () => {
    const metadata = JSON.parse('{"constructor": "a", "__proto__": "b", "x": "c"}') as Record<string, string>
    const { id, status } = await client.responses.create({ ...asked, metadata, background: true })
    expect(status).toBe('in_progress')
    await expect.poll(async () => (await client.responses.retrieve(id)).status).toBe('completed')
    const whole = await client.responses.retrieve(id)
    expect(whole.output_text).toContain(answer)
    expect(Object.entries(whole.metadata!)).toEqual(Object.entries(metadata))
    await client.responses.delete(id)
    await expect(client.responses.retrieve(id)).rejects.toThrow(NotFoundError)
  })
})

it('what is not stored is not found', async () => {
  const { id } = await client.responses.create({ ...asked, store: null })
  const run = await fetch(`${inject('workerURL')}/v1/runs`, {
    method: 'POST',
    body: JSON.stringify({ prompt: '1 + 1 = ', max_tokens: 1, store: true }),
  })
  const [, runId] = /"run_id":"([^"]+)"/.exec(await run.text())!
  for (const unknown of [id, `resp_${crypto.randomUUID()}`, `resp_${runId}`, runId!, 'x']) {
    await expect(client.responses.retrieve(unknown)).rejects.toThrow(NotFoundError)
    await expect(client.responses.cancel(unknown)).rejects.toMatchObject({ code: 'run_not_found' })
    await expect(client.responses.delete(unknown)).rejects.toThrow(NotFoundError)
  }
  const wrong = client.responses.create({ ...asked, store: false, background: true })
  await expect(wrong).rejects.toThrow(BadRequestError)
  await expect(wrong).rejects.toMatchObject({ param: 'background' })
})
