/** Runs on other engines whose user writes about `<think>`. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { engine, network, run } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const SAYS = 'It opens the thinking.\n\nSTOP here.'

test.each(['vllm', 'sglang', 'llama'] as const)(
  'a tag in a message is only text: the answer is the answer, and stop strings count in it: %s',
  async (dialect) => {
    const target = engine(dialect, SAYS)
    const messages = [{ role: 'user' as const, content: 'What is <think>?' }]
    const { events } = await run({ target }, { mode: 'ar' }, { messages, stop: 'STOP' })
    const deltas = events.flatMap((event) => (event.type === 'text.delta' ? [event] : []))
    expect([...new Set(deltas.map(({ channel }) => channel))]).toEqual(['answer'])
    expect(deltas.map(({ text }) => text).join('')).toBe('It opens the thinking.\n\n')
  },
)
