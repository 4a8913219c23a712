/** The judge as a model that others may ask, such as a worker that has this backend for a judge. */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { answer, messages, models, post } from '../../../test/served.ts'
import { Engine } from '../../engine/engine.ts'
import { createApp } from '../app.ts'

const asked = { model: 'judge', messages, max_tokens: 1, temperature: 0, logprobs: true, top_logprobs: 20 }

test('a chat model in `judge/` answers chats, and tells log probabilities', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await symlink(path.join(models, 'draft'), path.join(folder, 'target'))
  await symlink(path.join(models, '../fixtures/tiny-qwen3'), path.join(folder, 'judge'))
  const engine = await Engine.load({ models: folder, slots: 1024 })
  try {
    const on = createApp({ engine: () => engine, draining: () => false })
    interface Chat {
      model: string
      choices: { logprobs: { content: { top_logprobs: object[] }[] } }[]
    }
    const { model, choices } = await answer<Chat>('/v1/chat/completions', asked, on)
    expect([model, choices[0]!.logprobs.content[0]!.top_logprobs.length]).toEqual(['judge', 20])
    const refused = await post('/v1/chat/completions', { ...asked, model: 'draft' }, on)
    expect(await refused.json()).toMatchObject({
      error: { message: expect.stringContaining('"target" or "judge"') as string },
    })
    expect(await (await on.request('/v1/models')).text()).toContain('"id":"judge"')
  } finally {
    engine.close()
    await rm(folder, { recursive: true })
  }
})

test('one that was taught a question of its own does not, and says so', async () => {
  const refused = await post('/v1/chat/completions', asked)
  expect(refused.status).toBe(404)
  expect(await refused.json()).toMatchObject({
    error: {
      code: 'model_not_found',
      message: expect.stringMatching(/question of its own.*"target" or "draft"/) as string,
    },
  })
})
