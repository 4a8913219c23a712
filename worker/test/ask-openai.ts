/** Requests of OpenAI's dialects, against a backend that does what a script says. */
import { app } from '../src/app.ts'
import type { Bindings } from '../src/settings.ts'
import { fakeBackend } from './fake-backend.ts'
import type { Reply } from './fake-backend.ts'
import { end } from './play.ts'

export const messages = [{ role: 'user', content: 'What is 1 + 2?' }]
const minimal: Record<string, object> = {
  '/v1/chat/completions': { messages },
  '/v1/completions': { prompt: 'x' },
  '/v1/responses': { input: 'x' },
}
export const paths = Object.keys(minimal)

export async function ask(env: Bindings, path: string, body: object, headers = {}): Promise<Response> {
  const runtime = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
  // `ar`: one call of the backend.
  const asked = { ...minimal[path], lookahead: { mode: 'ar' }, ...body }
  return app.request(path, { method: 'POST', headers, body: JSON.stringify(asked) }, env, runtime)
}

/** The answer to a request, and what the backend was asked for it. */
export async function play(path: string, body: object, env: Bindings = {}, replies: Reply[] = [end]) {
  await using fake = await fakeBackend(replies)
  const response = await ask({ BACKEND_URL: fake.url, ...env }, path, body)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, asked: fake.calls[0]?.body as never }
}
