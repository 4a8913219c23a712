import { Hono } from 'hono'
import type { Service } from '../service.ts'
import { chatCompletions } from './chat.ts'
import { completions } from './completions.ts'
import { detokenize, tokenize } from './tokenize.ts'

/** What any client of OpenAI's API can use, and vLLM's two tokenizer calls. */
export function openaiRoutes(service: Service): Hono {
  const app = new Hono()
  app.post('/v1/completions', (c) => completions(service, c))
  app.post('/v1/chat/completions', (c) => chatCompletions(service, c))
  app.post('/tokenize', (c) => tokenize(service, c))
  app.post('/detokenize', (c) => detokenize(service, c))
  return app
}
