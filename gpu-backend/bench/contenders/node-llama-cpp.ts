import type { Contender, OpenOptions } from './contender.ts'
import { load } from './install.ts'

/** The part of node-llama-cpp in use; the package is installed on demand, so its own types may be absent. */
interface NodeLlamaCpp {
  getLlama: (options: object) => Promise<{ loadModel(options: object): Promise<LlamaModel> } & Disposable>
}
interface Disposable {
  dispose(): Promise<void>
}
interface LlamaModel extends Disposable {
  createContext(options: object): Promise<{ getSequence(): LlamaSequence } & Disposable>
}
interface LlamaSequence {
  clearHistory(): Promise<void>
  evaluate(tokens: readonly number[], options: object): AsyncIterable<number>
}

/** `model` is a GGUF file. Only the prebuilt binary that npm installed is used: nothing is compiled or downloaded. */
export async function open({ model, threads }: OpenOptions): Promise<Contender> {
  const { getLlama } = await load<NodeLlamaCpp>('node-llama-cpp')
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    maxThreads: threads,
    logLevel: 'error',
  })
  const loaded = await llama.loadModel({ modelPath: model })
  const context = await loaded.createContext({ contextSize: 2048, threads: { ideal: threads, min: threads } })
  const sequence = context.getSequence()
  return {
    async generate(prompt, maxTokens) {
      await sequence.clearHistory()
      const tokens: number[] = []
      for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true }))
        if (tokens.push(token) >= maxTokens) break
      return tokens
    },
    async close() {
      await context.dispose()
      await loaded.dispose()
      await llama.dispose()
    },
  }
}
