/** Where a text leaves off: tags in messages are text, and what the engine's own template puts at the end decides. */
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Capabilities } from './probe.ts'
import { promptAt } from './prompt.ts'
import { Server } from './server.ts'

const network = setupServer()
beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const url = 'http://engine.test'
const { signal } = new AbortController()

interface Message {
  role: 'user' | 'assistant'
  content: string
}

/** An engine whose template begins and ends like this; a character is a token. @returns the paths it was asked at */
function templating(dialect: 'vllm' | 'sglang' | 'llama', end: string, begin = ''): string[] {
  const asked: string[] = []
  const render = (messages: Message[]): string =>
    begin + messages.map(({ role, content }) => `<|${role}|>${content.trim()}<|end|>`).join('\n') + end
  const post = (path: string, answer: (body: never) => object) =>
    http.post(url + path, async ({ request }) => {
      asked.push(path)
      return HttpResponse.json(answer((await request.json()) as never))
    })
  const idsOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!)
  network.use(
    post('/tokenize', ({ messages, prompt, content }: { messages?: Message[]; prompt?: string; content?: string }) => {
      if (dialect === 'llama') return { tokens: idsOf(content ?? '') }
      return { tokens: idsOf(messages ? render(messages) : prompt!) }
    }),
    post('/detokenize', ({ tokens }: { tokens: number[] }) => {
      const text = String.fromCodePoint(...tokens)
      return dialect === 'vllm' ? { prompt: text } : { text }
    }),
    post('/apply-template', ({ messages }: { messages: Message[] }) => ({ prompt: render(messages) })),
  )
  return asked
}

const can: Capabilities = { extensions: true, batch: true, ids: true, stops: 'kept', sample: [1] }
const server = () => new Server('target', { url, model: 'big' })
const user = (content: string): Message => ({ role: 'user', content })
const ANSWER = { thinking: false }
const THINKING = { thinking: true }

describe.each(['vllm', 'sglang', 'llama'] as const)('messages at %s', (dialect) => {
  const place = async (messages: Message[], end: string, begin?: string) => {
    templating(dialect, end, begin)
    const { text, ids, channels } = await promptAt(server(), can, { messages }, signal)
    expect(String.fromCodePoint(...ids!)).toBe(text)
    return channels
  }

  test.each([
    ['What is <think>?', '\n<|assistant|>', ANSWER],
    ['What is <think>', '\n<|assistant|>', ANSWER],
    ['<think>', '\n<|assistant|><think>\n', THINKING],
    ['What does </think> do?', '\n<|assistant|><think>\n', THINKING],
    ['Say <think> or </think>.', '\n<|assistant|><think>\n\n</think>\n\n', ANSWER],
    ['Hello! <think> Hello.', '\n<|assistant|>', ANSWER],
  ])('%o, and then %o', async (content, end, expected) => {
    expect(await place([user(content)], end)).toMatchObject(expected)
  })

  test('of which an earlier one has a tag, whatever the last one says', async () => {
    for (const last of ['And now?', 'Hello.', 'Hello. ', 'Hello!', '', '.']) {
      const messages = [user('What is <think>?'), { role: 'assistant' as const, content: 'A tag.' }, user(last)]
      expect(await place(messages, '\n<|assistant|>')).toMatchObject(ANSWER)
      expect(await place(messages, '\n<|assistant|><think>\n')).toMatchObject(THINKING)
    }
  })

  test('that have no tag are rendered once', async () => {
    const asked = templating(dialect, '\n<|assistant|><think>\n')
    expect((await promptAt(server(), can, { messages: [user('Hi')] }, signal)).channels).toMatchObject(THINKING)
    expect(asked.length).toBe(dialect === 'llama' ? 3 : 2)
  })
})

test.each([
  ['Q: why?\n<think>\nWell,', THINKING],
  ['Q: why?\n<think>So.</think>\n', { thinking: false, after_tag: true }],
  ['What is <think>?', THINKING],
  ['Why?', ANSWER],
])('of the prompt %o all counts', async (prompt, expected) => {
  templating('vllm', '')
  expect((await promptAt(server(), can, { prompt }, signal)).channels).toMatchObject(expected)
})
