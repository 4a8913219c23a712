/** The worker for clients of OpenAI's API. */
import { readJson } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { App } from '../../settings.ts'
import { answer } from './answer.ts'
import { chat } from './chat.ts'
import { completions } from './completions.ts'
import type { Dialect } from './dialect.ts'
import { responses } from './responses.ts'
import { storedResponses } from './stored-responses.ts'

const dialects = new Map<string, Dialect>([
  ['/v1/chat/completions', chat],
  ['/v1/completions', completions],
  ['/v1/responses', responses],
])

export const openai = new Hono<App>()

openai.route('/', storedResponses)

for (const [path, read] of dialects) openai.post(path, async (c) => answer(c, read(await readJson(c.req.raw), c.env)))
