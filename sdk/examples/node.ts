/** A run from Node: `node sdk/examples/node.ts "a question"`, with a worker at $LOOKAHEAD_URL (`npm start` runs one). */
import { Lookahead, LookaheadError } from '@lookahead/sdk'

const client = new Lookahead({ baseURL: process.env.LOOKAHEAD_URL ?? 'http://127.0.0.1:8787' })
const content = process.argv[2] ?? 'Ann has 144 shells. 2/3 of them are yellow. How many shells are yellow?'
const run = client.runs.stream({ messages: [{ role: 'user', content }], lookahead: { mode: 'lr+sd' } })

try {
  for await (const event of run) {
    if (event.type === 'step.accepted') console.log('kept     ', event.text.trim())
    if (event.type === 'step.corrected') console.log('corrected', event.text.trim())
  }
  const { answer, stats, usage } = await run.final()
  console.log(`answer: ${answer}`)
  console.log(`${usage.completion_tokens} tokens, ${stats.accepted_steps} of ${stats.drafted_steps} drafted steps kept`)
} catch (error) {
  if (!LookaheadError.isInstance(error)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
