import { randomUUID } from 'node:crypto'
import type { WeightType } from '../../src/graph/index.ts'
import { Engine } from '../../src/engine/engine.ts'
import { verifySteps } from '../../src/engine/decode/verify.ts'
import { parseVerify } from '../../src/server/wire.ts'
import type { Contender, OpenOptions } from './contender.ts'

/** This project's engine, in process; `model` is the folder that holds `target/`. */
export async function open({ model, threads }: OpenOptions, weights: WeightType): Promise<Contender> {
  const engine = await Engine.load({ models: model, threads, weights, slots: 4096 })
  return {
    async generate(prompt, maxTokens) {
      const text = new TextDecoder().decode(
        Buffer.concat(prompt.map((token) => engine.target.model.tokenizer.decodeToken(token))),
      )
      return (await decodePlainly(engine, text, maxTokens)).tokens
    },
    async close() {
      engine.close()
    },
  }
}

export interface PlainText {
  tokens: number[]
  /** Milliseconds of the whole call, and of that in forwards. */
  total: number
  forwards: number
}

/** A whole text at temperature 0 by one verify call without drafted steps, as mode `ar` does; with token speculation, as `sd` does. */
export async function decodePlainly(
  engine: Engine,
  prompt: string,
  maxTokens: number,
  { speculate = false } = {},
): Promise<PlainText> {
  const request = parseVerify({
    context: { id: randomUUID(), prompt },
    decode: 'end',
    max_tokens: maxTokens,
    sampling: { temperature: 0 },
    speculation: speculate ? {} : { drafted: false, ngram: 0, draft: 0 },
  })
  const context = await engine.context(request.context)
  let tokens: readonly number[] = []
  try {
    for await (const event of verifySteps(engine, context, request, new AbortController().signal)) {
      if (event.type === 'commit') tokens = event.tokens
      if (event.type === 'done')
        return { tokens: [...tokens], total: event.work.totalMs, forwards: event.work.targetMs }
    }
  } finally {
    engine.contexts.drop(context.id)
  }
  throw new Error('the engine ended before its text was done')
}
