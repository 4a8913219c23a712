import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { createApp } from '../app.ts'
import { answer, messages, models, post } from '../../../test/served.ts'

test('the template decides about thinking; the kwargs reach it, and its refusal is a 400', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
  const config = path.join(folder, 'target/tokenizer_config.json')
  const stored = JSON.parse(await readFile(config, 'utf8')) as { chat_template: string }
  // As Qwen3's: thinking is on unless it is turned off, and then it is opened and closed at once.
  const thought = "{%- if enable_thinking is defined and not enable_thinking %}{{- '</think>\\n\\n' }}{%- endif %}"
  const refusal = "{%- if messages[0].role == 'system' %}{{- raise_exception('no system messages') }}{%- endif %}"
  const named = '{%- if prototype is defined %}{{- prototype }}{%- endif %}'
  await writeFile(
    config,
    JSON.stringify({ ...stored, chat_template: refusal + stored.chat_template + thought + named }),
  )
  const thinker = await Engine.load({ models: folder, slots: 1024 })
  try {
    const on = createApp({ engine: () => thinker, draining: () => false })
    interface Chat {
      choices: { message: { content: string; reasoning: string | null } }[]
    }
    const ask = async (more: object) => {
      const body = { messages, max_tokens: 12, temperature: 0, ...more }
      return (await answer<Chat>('/v1/chat/completions', body, on)).choices[0]!.message
    }
    expect(await ask({})).toMatchObject({ content: '', reasoning: expect.stringMatching(/./) })
    const direct = await ask({ chat_template_kwargs: { enable_thinking: false } })
    expect(direct).toMatchObject({ content: expect.stringMatching(/./), reasoning: null })
    expect(await ask({ enable_thinking: false })).toEqual(direct)
    const both = { enable_thinking: true, chat_template_kwargs: { enable_thinking: false } }
    expect(await ask(both)).toEqual(direct)

    const { tokens } = await answer<{ tokens: number[] }>(
      '/tokenize',
      { messages, chat_template_kwargs: { prototype: 'first of its kind' } },
      on,
    )
    expect(thinker.target.model.tokenizer.decode(tokens)).toMatch(/first of its kind$/)

    const system = [{ role: 'system', content: 'x' }]
    const refused = [
      await post('/v1/chat/completions', { messages: system }, on),
      await post('/v1/verify', { context: { id: 'a', messages: system }, max_tokens: 1 }, on),
    ]
    for (const response of refused) {
      expect(response.status).toBe(400)
      expect(await response.text()).toContain('no system messages')
    }
    expect((await post('/v1/completions', { prompt: 'x', model: 'draft' }, on)).status).toBe(404)
  } finally {
    thinker.close()
    await rm(folder, { recursive: true })
  }
})

test('what was not sent is not there for the template, on every endpoint', async () => {
  const asks = `{%- for message in messages %}{%- if 'reasoning_content' in message %}
    {{- raise_exception('thought: ' ~ message.reasoning_content) }}{%- endif %}{%- endfor %}`
  const named = '{%- if constructor is defined %}{{- raise_exception(constructor ~ __proto__) }}{%- endif %}'
  const stored = await readFile(path.join(models, 'draft/tokenizer_config.json'), 'utf8')
  const template = asks + named + (JSON.parse(stored) as { chat_template: string }).chat_template
  await using folder = await withTemplate(template)
  const asking = await Engine.load({ models: folder.path, slots: 1024 })
  try {
    const on = createApp({ engine: () => asking, draining: () => false })
    const context = { id: 'a', messages }
    const chats = ['/v1/chat/completions', '/tokenize']
    for (const url of chats)
      for (const said of [{}, { reasoning_content: null }, { reasoning: null }]) {
        const more = { messages: messages.map((message) => ({ ...message, ...said })), max_tokens: 1 }
        expect((await post(url, more, on)).status).toBe(200)
      }
    expect((await post('/v1/verify', { context, max_tokens: 1 }, on)).status).toBe(200)
    expect((await post('/v1/draft', { context, depth: 1 }, on)).status).toBe(200)
    for (const url of chats)
      for (const said of [{ reasoning_content: 'hm' }, { reasoning: 'hm' }]) {
        const response = await post(url, { messages: [{ ...messages[0], ...said }], max_tokens: 1 }, on)
        expect(response.status).toBe(400)
        expect(await response.json()).toMatchObject({ error: { message: 'messages: thought: hm', param: 'messages' } })
      }
    const kwargs = '{ "constructor": 1, "__proto__": 2, "prototype": 3 }'
    const body = `{ "messages": ${JSON.stringify(messages)}, "chat_template_kwargs": ${kwargs} }`
    const response = await on.request('/v1/chat/completions', { method: 'POST', body })
    expect(await response.json()).toMatchObject({ error: { message: 'messages: 12' } })
  } finally {
    asking.close()
  }
})

/** A folder whose models are both the shipped draft, the target with another template. */
async function withTemplate(template: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
  await cp(path.join(models, 'draft'), path.join(folder, 'draft'), { recursive: true })
  await writeFile(path.join(folder, 'target/chat_template.jinja'), template)
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
