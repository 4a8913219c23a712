/** The AI SDK on a Lookahead worker: `node sdk/examples/ai-sdk.ts "a question"`, with a worker at $LOOKAHEAD_URL. */
import { createLookahead } from '@lookahead/sdk/ai-sdk'
import { streamText } from 'ai'

const lookahead = createLookahead({ baseURL: process.env.LOOKAHEAD_URL ?? 'http://127.0.0.1:8787' })

const result = streamText({
  model: lookahead('target', { mode: 'lr+sd', depth: 8 }),
  prompt: process.argv[2] ?? 'Ann has 144 shells. 2/3 of them are yellow. How many shells are yellow?',
})

for await (const part of result.stream) {
  if (part.type === 'reasoning-delta') process.stderr.write(part.text)
  if (part.type === 'text-delta') process.stdout.write(part.text)
  // Each step, as it is drafted and as the verifier rules on it.
  if (part.type === 'custom') process.stderr.write(`${JSON.stringify(part.providerMetadata?.['lookahead'])}\n`)
  if (part.type === 'error') throw part.error
}
console.log(`\n${(await result.usage).outputTokens} tokens`)
