/** OpenAI's client on a Lookahead worker: `node sdk/examples/openai.ts "a question"`, with a worker at $LOOKAHEAD_URL. */
import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: `${process.env.LOOKAHEAD_URL ?? 'http://127.0.0.1:8787'}/v1`,
  apiKey: process.env.API_KEY ?? 'none',
})
const content = process.argv[2] ?? 'Ann has 144 shells. 2/3 of them are yellow. How many shells are yellow?'

// How to look ahead goes with the request, in a field that OpenAI's types do not know.
const request = {
  model: 'target',
  messages: [{ role: 'user' as const, content }],
  stream: true as const,
  stream_options: { include_usage: true },
  lookahead: { mode: 'lr+sd', depth: 8 },
}

for await (const { choices, usage } of await client.chat.completions.create(request)) {
  const delta = choices[0]?.delta as { content?: string; reasoning?: string } | undefined
  process.stderr.write(delta?.reasoning ?? '')
  process.stdout.write(delta?.content ?? '')
  if (usage) console.log(`\n${usage.completion_tokens} tokens`)
}
