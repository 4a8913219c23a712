import { readEvents } from '@lookahead/sdk/protocol'
import { expect, test, vi } from 'vitest'
import { answer, complete, engine, messages, post, someTokens } from '../../../test/served.ts'

interface Logprobs {
  tokens: string[]
  token_logprobs: (number | null)[]
  top_logprobs: (Record<string, number> | null)[]
  text_offset: number[]
}

test('echo with logprobs measures the prompt, whole or in a stream, for all its texts; no token need be written', async () => {
  type Measured = { choices: { index: number; text: string; logprobs: Logprobs }[] }
  const prompt = 'Step 1: Ann has 12 apples. '.repeat(12)
  const body = { model: 'draft', temperature: 0, prompt: ['Two', prompt], echo: true, logprobs: 2, n: 2 }
  const read = await answer<Measured>('/v1/completions', { ...body, max_tokens: 0 })
  expect(read.choices.map(({ text }) => text)).toEqual(['Two', 'Two', prompt, prompt])
  const { tokens, token_logprobs, top_logprobs, text_offset } = read.choices[2]!.logprobs
  expect(read.choices[3]!.logprobs).toEqual(read.choices[2]!.logprobs)
  expect(tokens.join('')).toBe(prompt)
  expect(tokens).toEqual(text_offset.map((at, i) => prompt.slice(at, text_offset[i + 1])))
  expect([token_logprobs[0], top_logprobs[0]]).toEqual([null, null])
  for (const [i, logprob] of token_logprobs.entries()) if (i > 0) expect(top_logprobs[i]![tokens[i]!]).toBe(logprob)

  const written = await answer<Measured>('/v1/completions', { ...body, max_tokens: 5 })
  for (const [i, { logprobs }] of written.choices.entries()) {
    const { length } = read.choices[i]!.logprobs.tokens
    expect(logprobs.tokens.slice(0, length)).toEqual(read.choices[i]!.logprobs.tokens)
    expect(logprobs.token_logprobs.length).toBe(length + 5)
    expect(logprobs.text_offset.at(-1)).toBeLessThan(written.choices[i]!.text.length)
  }
  const response = await post('/v1/completions', { ...body, max_tokens: 5, stream: true })
  const streamed = written.choices.map(() => ({ text: '', tokens: [] as string[], offsets: [] as number[] }))
  for await (const { data } of readEvents(response.body!))
    if (data !== '[DONE]')
      for (const { index, text, logprobs } of (JSON.parse(data) as Measured).choices) {
        streamed[index]!.text += text
        streamed[index]!.tokens.push(...logprobs.tokens)
        streamed[index]!.offsets.push(...logprobs.text_offset)
      }
  expect(streamed).toEqual(
    written.choices.map(({ text, logprobs }) => ({ text, tokens: logprobs.tokens, offsets: logprobs.text_offset })),
  )
})

test('a character that the prompt begins is ended by the output', async () => {
  const [x, ...emoji] = engine.target.model.tokenizer.encode('x😀')
  const last = emoji.pop()!
  const body = { prompt: [x, ...emoji], max_tokens: 1, logit_bias: { [last]: 100 }, logprobs: 0 }
  interface Written {
    choices: { text: string; logprobs: Logprobs }[]
  }
  expect((await answer<Written>('/v1/completions', { ...body, echo: true })).choices[0]!.text).toBe('x😀')
  expect((await answer<Written>('/v1/completions', body)).choices[0]).toMatchObject({ text: '😀' })
  const cut = await answer<Written>('/v1/completions', { ...body, max_tokens: 0, echo: true })
  expect(cut.choices[0]!.text).toBe('x\ufffd')
})

test('text offsets count code points of the text, and tokens that are no whole characters have names of their own', async () => {
  const body = { prompt: '😀é x', max_tokens: 2, echo: true, logprobs: 0, ignore_eos: true, logit_bias: { 1253: 100 } }
  const { choices } = await answer<{ choices: { text: string; logprobs: Logprobs }[] }>('/v1/completions', body)
  const { tokens: names, text_offset } = choices[0]!.logprobs
  expect(choices[0]!.text).toBe('😀é x')
  expect([text_offset[0], text_offset.at(-4), text_offset.at(-3), text_offset.at(-2)]).toEqual([0, 2, 3, 4])
  expect(text_offset.at(-1)).toBe(4)
  expect(new Set(names.slice(0, 4)).size).toBe(4)
  expect(names[0]).toMatch(/^bytes:\\xf0/)
})

test("prompt_logprobs are vLLM's, of completions and of chats", async () => {
  type Entry = Record<string, { logprob: number; rank: number; decoded_token: string }> | null
  const prompt = engine.target.model.tokenizer.encode('Ann has 12 apples')
  const body = { prompt, prompt_logprobs: 1, max_tokens: 1 }
  const { choices } = await answer<{ choices: { prompt_logprobs: Entry[] }[] }>('/v1/completions', body)
  const [first, ...entries] = choices[0]!.prompt_logprobs
  expect([first, entries.length]).toEqual([null, prompt.length - 1])
  for (const [i, entry] of entries.entries()) {
    const own = entry![prompt[i + 1]!]!
    expect(Object.values(entry!).map(({ rank }) => rank)).toContain(1)
    expect(Object.keys(entry!).length).toBe(own.rank === 1 ? 1 : 2)
    expect(own.decoded_token).toBe(engine.target.model.tokenizer.decode([prompt[i + 1]!]))
  }
  const chat = { messages, prompt_logprobs: 0, max_tokens: 1 }
  const answered = await answer<{ prompt_logprobs: Entry[] }>('/v1/chat/completions', chat)
  const { count } = await answer<{ count: number }>('/tokenize', { messages })
  expect(answered.prompt_logprobs.length).toBe(count)
})

test("a prompt's log probabilities are worded once, however many texts show them", async () => {
  const words = vi.spyOn(engine.draft!.model.tokenizer, 'decodeToken')
  const count = async (n: number) => {
    words.mockClear()
    await complete({ prompt: someTokens(200), n, prompt_logprobs: 20, max_tokens: 0 })
    return words.mock.calls.length
  }
  expect(await count(8)).toBeLessThan(2 * (await count(1)))
  words.mockRestore()
})
