/** The request of the page, as a program would make it. */
import { lookaheadOf } from './settings.ts'
import type { Settings } from './settings.ts'

export const languages = ['SDK', 'openai', 'curl'] as const
export type Language = (typeof languages)[number]

export interface Asked {
  /** The worker's address. */
  origin: string
  question: string
  settings: Settings
  /** Whether the worker asks for a key; the key itself is never shown. */
  hasKey: boolean
}

export const codeIn: Record<Language, (asked: Asked) => string> = {
  SDK: ({ origin, question, settings, hasKey }) => `import { Lookahead } from '@lookahead/sdk'

const client = new Lookahead({ baseURL: ${quoted(origin)}${hasKey ? ', apiKey: process.env.API_KEY' : ''} })
const run = client.runs.stream({
  messages: [{ role: 'user', content: ${quoted(question)} }],
  lookahead: ${literal(lookaheadOf(settings))},
})

for await (const event of run) {
  if (event.type === 'text.delta') process.stdout.write(event.text)
  if (event.type === 'step.corrected') console.error('corrected:', event.text)
}`,

  openai: ({ origin, question, settings, hasKey }) => `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: ${quoted(`${origin}/v1`)}, apiKey: ${hasKey ? 'process.env.API_KEY' : "'none'"} })
const request = {
  model: 'target',
  messages: [{ role: 'user' as const, content: ${quoted(question)} }],
  stream: true as const,
  lookahead: ${literal(lookaheadOf(settings))},
}

for await (const { choices } of await client.chat.completions.create(request)) {
  process.stdout.write(choices[0]?.delta.content ?? '')
}`,

  curl: ({ origin, question, settings, hasKey }) => {
    const body = { messages: [{ role: 'user', content: question }], lookahead: lookaheadOf(settings) }
    return `curl -N ${origin}/v1/runs \\
  -H 'content-type: application/json' \\${hasKey ? '\n  -H "authorization: Bearer $API_KEY" \\' : ''}
  -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`
  },
}

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

const literal = (values: object): string =>
  `{ ${Object.entries(values)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? quoted(value) : String(value)}`)
    .join(', ')} }`
