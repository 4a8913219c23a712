/** A contender in a process of its own, so that no runtime shares threads, memory or a library with another. */
import { fork, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import * as v from 'valibot'
import { weightTypes } from '../../src/graph/index.ts'
import { tensorTypes } from '../convert/gguf.ts'
import type { OpenOptions, Variant } from './contender.ts'

const tokens = v.array(v.number())

export const commandSchema = v.variant('type', [
  v.object({
    type: v.literal('open'),
    runtime: v.picklist(['lookahead', 'transformers.js', 'node-llama-cpp']),
    weights: v.picklist([...weightTypes, ...tensorTypes]),
    model: v.string(),
    threads: v.number(),
  }),
  v.object({ type: v.literal('generate'), prompt: tokens, maxTokens: v.number() }),
  v.object({ type: v.literal('close') }),
])
export type Command = v.InferOutput<typeof commandSchema>

export const replySchema = v.variant('type', [
  v.object({ type: v.literal('done') }),
  v.object({ type: v.literal('generated'), tokens, ms: v.number() }),
  v.object({ type: v.literal('failed'), message: v.string() }),
])
export type Reply = v.InferOutput<typeof replySchema>

export interface Generated {
  tokens: number[]
  /** From the prompt to the last token, as the process itself sees it. */
  ms: number
}

/** One command at a time. */
export class ContenderProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** @throws Error with the runtime's own message if it cannot load the model */
  static async open(variant: Variant, options: OpenOptions): Promise<ContenderProcess> {
    const child = fork(path.join(import.meta.dirname, 'child.ts'), { stdio: ['ignore', 2, 2, 'ipc'] })
    const contender = new ContenderProcess(child)
    try {
      await contender.#ask({ type: 'open', runtime: variant.runtime, weights: variant.weights, ...options })
      return contender
    } catch (error) {
      child.kill()
      throw error
    }
  }

  async generate(prompt: readonly number[], maxTokens: number): Promise<Generated> {
    const reply = await this.#ask({ type: 'generate', prompt: [...prompt], maxTokens })
    if (reply.type !== 'generated') throw new Error(`the process answered ${reply.type}`)
    return { tokens: reply.tokens, ms: reply.ms }
  }

  async close(): Promise<void> {
    await this.#ask({ type: 'close' }).finally(() => this.#child.kill())
  }

  #ask(command: Command): Promise<Reply> {
    const child = this.#child
    return new Promise<Reply>((resolve, reject) => {
      const settle = (act: () => void) => {
        child.off('message', onMessage).off('exit', onExit).off('error', onError)
        act()
      }
      const onMessage = (message: unknown) => {
        const reply = v.parse(replySchema, message)
        settle(() => (reply.type === 'failed' ? reject(new Error(reply.message)) : resolve(reply)))
      }
      const onExit = (code: number | null, signal: string | null) =>
        settle(() => reject(new Error(`the process ended (${code ?? signal})`)))
      const onError = (error: Error) => settle(() => reject(error))
      child.on('message', onMessage).on('exit', onExit).on('error', onError)
      child.send(command, (error) => error && onError(error))
    })
  }
}
