/** The calls of a cycle over HTTP: who leaves, who is at work on a context, and what becomes of it then. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { readEvents } from '@lookahead/sdk/protocol'
import { describe, expect, test, vi } from 'vitest'
import { stageEngine } from '../../test/stage-engine.ts'
import type { Stage } from '../../test/stage-engine.ts'
import type { Staged } from '../../test/staged.ts'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const messages = { id: 'run', prompt }
const sampling = { temperature: 0 }
/** Guesses would make a text of thousands of forwards one of a few. */
const speculation = { drafted: false, ngram: 0, draft: 0 }

type Event = { type: string } & Record<string, unknown>

function serve(staged: Stage, calls = new Calls()) {
  const app = createApp({ engine: () => staged.engine, draining: () => false, calls })
  const post = (path: string, body: object, signal?: AbortSignal) =>
    app.request(path, { method: 'POST', body: JSON.stringify(body), ...(signal ? { signal } : {}) })
  return {
    post,
    draft: (context: object, more: object = {}) => post('/v1/draft', { context, depth: 1, sampling, ...more }),
    verify: (context: object, more: object = {}) =>
      post('/v1/verify', { context, max_tokens: 1500, sampling, speculation, ...more }),
    drop: (id: string) => app.request(`/v1/contexts/${id}`, { method: 'DELETE' }),
    health: async () => (await (await app.request('/health')).json()) as { contexts: number; running: number },
    calls,
  }
}

async function read(response: Response): Promise<Event[]> {
  const events: Event[] = []
  for await (const { data } of readEvents(response.body!)) events.push(JSON.parse(data) as Event)
  return events
}

const codeOf = async (response: Response): Promise<[number, unknown]> => {
  const { error } = (await response.json()) as { error: { code: string } }
  return [response.status, error.code]
}

/** The model's forwards wait until the gate is open. @returns what opens it, and when the first has come */
function gate(model: Staged) {
  const open = Promise.withResolvers<void>()
  const came = Promise.withResolvers<void>()
  model.before = () => {
    came.resolve()
    return open.promise
  }
  return { came: came.promise, open: open.resolve }
}

describe('who leaves', () => {
  const staged = stageEngine()
  const LONG = 1000

  /** Writes on and on, with a turn of the event loop for every token. */
  function saysA(role: 'draft' | 'target'): Staged {
    const [letter] = staged.tokenizer.encode('a') as [number]
    const model = staged.says(role, () => letter)
    model.before = () => turn()
    return model
  }

  const isAtWork = (model: Staged) => expect.poll(() => model.forwards.length, { interval: 1 }).toBeGreaterThan(3)

  test.each(['draft', 'verify'] as const)(
    'in the middle of a call to %s, by cancelling the body, ends its work',
    async (half) => {
      const role = half === 'draft' ? 'draft' : 'target'
      const model = saysA(role)
      const server = serve(staged)
      // No event comes all the while: a step has no end, or its text may still be a stop string.
      const response = await server[half](messages, {
        step_rules: { max_tokens: LONG },
        ...(half === 'draft' ? {} : { stop: ['a'.repeat(LONG + 1)] }),
      })
      const reader = response.body!.getReader()
      const reading = (async () => {
        while (!(await reader.read()).done);
      })()
      await isAtWork(model)
      const forwards = model.forwards.length
      await Promise.all([reader.cancel(), reading])
      expect(model.forwards.length).toBeLessThan(forwards + 3)
      expect(forwards).toBeLessThan(LONG - 3)
      expect(server.calls.running).toBe(0)
      expect(staged.engine.stats[role]!.running).toBe(0)
      // It was in the middle of something: nobody may go on from there.
      expect(await codeOf(await server.verify({ id: 'run', length: 0 }))).toEqual([409, 'context_lost'])
    },
  )

  test('by closing the connection ends its work, and would be told so', async () => {
    const model = saysA('target')
    const server = serve(staged)
    const connection = new AbortController()
    const body = { context: messages, max_tokens: LONG, sampling, speculation, step_rules: { max_tokens: LONG } }
    const events = read(await server.post('/v1/verify', body, connection.signal))
    await isAtWork(model)
    connection.abort()
    expect((await events).at(-1)).toMatchObject({ type: 'error', error: { code: 'client_left' } })
    expect(model.forwards.length).toBeLessThan(LONG - 3)
  })
})

describe('a context', () => {
  const staged = stageEngine()
  const text = ['A.\n\n', 'B.\n\n', 'C.\n\n']
  const lengthOf = (events: Event[]): number => (events.find(({ type }) => type === 'commit')!['tokens'] as []).length

  test('stays for the next call, and is gone when the text has ended', async () => {
    staged.writes('target', prompt, text)
    const server = serve(staged)
    const first = await read(await server.verify(messages))
    expect(await server.health()).toMatchObject({ contexts: 1, running: 0 })
    const second = await read(await server.verify({ id: 'run', length: lengthOf(first) }, { decode: 'end' }))
    expect(second.find(({ type }) => type === 'commit')).toMatchObject({ text: 'B.\n\nC.\n\n', finish_reason: 'stop' })
    expect(await server.health()).toMatchObject({ contexts: 0, running: 0 })
  })

  test('is refused where it holds another number of tokens', async () => {
    staged.writes('target', prompt, text)
    const server = serve(staged)
    const length = lengthOf(await read(await server.verify(messages)))
    for (const other of [0, length - 1, length + 1])
      expect(await codeOf(await server.verify({ id: 'run', length: other }))).toEqual([409, 'context_lost'])
    expect((await read(await server.verify({ id: 'run', length }))).at(-1)).toMatchObject({ type: 'done' })
    await server.drop('run')
    expect(await codeOf(await server.verify({ id: 'run', length: 2 * length }))).toEqual([409, 'context_lost'])
  })

  test('has one call of a kind at work at a time, and takes the next when that has ended', async () => {
    const target = staged.writes('target', prompt, text)
    staged.writes('draft', prompt, text)
    const server = serve(staged)
    await read(await server.draft(messages))
    const { came, open } = gate(target)
    const first = read(await server.verify({ id: 'run', length: 0 }))
    await came
    expect(await codeOf(await server.verify({ id: 'run', length: 0 }))).toEqual([409, 'context_busy'])
    expect((await read(await server.draft({ id: 'run', length: 0 }))).at(-1)).toMatchObject({ type: 'done' })
    open()
    const length = lengthOf(await first)
    expect((await read(await server.verify({ id: 'run', length }))).at(-1)).toMatchObject({ type: 'done' })
    await server.drop('run')
  })

  test('of a call that fails is gone', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const server = serve(staged)
    vi.spyOn(staged.engine.target.model, 'forward').mockRejectedValue(new Error('staged'))
    expect((await read(await server.verify(messages))).at(-1)).toMatchObject({ type: 'error' })
    expect(await server.health()).toMatchObject({ contexts: 0, running: 0 })
  })
})

describe('an idle context', () => {
  const staged = stageEngine({ contextIdleMs: 40 })

  test('is dropped, but not while a call is at work on it, however long that takes', async () => {
    const { came, open } = gate(staged.writes('target', prompt, ['A.\n\n', 'B.\n\n']))
    const server = serve(staged)
    const events = read(await server.verify(messages))
    await came
    // Many times as long as it may be idle.
    await sleep(400)
    expect((await server.health()).contexts).toBe(1)
    open()
    expect((await events).at(-1)).toMatchObject({ type: 'done' })
    await expect.poll(async () => (await server.health()).contexts).toBe(0)
  })
})

describe('calls that wait', () => {
  const staged = stageEngine()

  test('are so many at most; who has begun to be answered waits no longer', async () => {
    const letters = staged.tokenizer.encode('abcdefgh')
    const target = staged.says('target', (text) => letters[text.length % letters.length]!)
    const server = serve(staged, new Calls({ requests: 1 }))
    const { came, open } = gate(target)
    const first = (
      await server.verify({ ...messages, id: 'first' }, { step_rules: { max_tokens: 1000 } })
    ).body!.getReader()
    let seen = ''
    const begun = (async () => {
      while (!seen.includes('delta')) seen += new TextDecoder().decode((await first.read()).value)
    })()
    await came
    const refused = await server.verify({ ...messages, id: 'second' })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await codeOf(refused)).toEqual([429, 'overloaded'])
    target.before = () => turn()
    open()
    // Its first text has come, and the call goes on.
    await begun
    const third = await server.verify({ ...messages, id: 'third' }, { max_tokens: 1 })
    expect(third.status).toBe(200)
    await read(third)
    await first.cancel()
  })
})
