import { expect, test } from 'vitest'
import { app } from '../src/app.ts'

test.each([
  [{}, 'native'],
  [{ ENGINE: 'openai' }, 'openai'],
])('health says, when it is asked for details, which engine runs are sent to: %o', async (env, engine) => {
  expect(await (await app.request('/health?details', {}, env)).json()).toMatchObject({ engine })
  expect(await (await app.request('/health', {}, env)).json()).not.toHaveProperty('engine')
})
