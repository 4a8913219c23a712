/** Runs one contender; see process.ts. */
import * as v from 'valibot'
import type { WeightType } from '../../src/graph/index.ts'
import type { Contender } from './contender.ts'
import { commandSchema, type Command, type Reply } from './process.ts'

let contender: Contender | undefined

process.on('message', (message) => {
  answer(v.parse(commandSchema, message)).then(
    (reply) => process.send!(reply),
    (error: unknown) => process.send!({ type: 'failed', message: (error as Error).message } satisfies Reply),
  )
})

process.once('disconnect', () => process.exit())

async function answer(command: Command): Promise<Reply> {
  if (command.type === 'open') {
    contender = await open(command)
    return { type: 'done' }
  }
  if (!contender) throw new Error('open comes first')
  if (command.type === 'generate') {
    const started = performance.now()
    const tokens = await contender.generate(command.prompt, command.maxTokens)
    return { type: 'generated', tokens, ms: performance.now() - started }
  }
  await contender.close()
  return { type: 'done' }
}

async function open(command: Extract<Command, { type: 'open' }>): Promise<Contender> {
  if (command.runtime === 'lookahead')
    return (await import('./lookahead.ts')).open(command, command.weights as WeightType)
  if (command.runtime === 'transformers.js') return (await import('./transformers-js.ts')).open(command)
  return (await import('./node-llama-cpp.ts')).open(command)
}
