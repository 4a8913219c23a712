import type { ModelRunner } from '../src/engine/model-runner.ts'
import { likeliest } from '../src/engine/sampling/distribution.ts'
import { Tree } from '../src/engine/decode/tree.ts'

const warmUp = 16
const counted = 64

/** Tokens that so many texts are given slots for, beside their prompt. */
export const writtenBy = (texts: number): number => texts * (warmUp + counted)

/**
 * Tokens a second that the engine writes, batching, slots and the choice of tokens included: so many texts at once at
 * temperature 0, after the same prompt of `context` tokens, which is not counted.
 */
export async function textSpeed(
  runner: ModelRunner,
  { context, texts, signal }: { context: number; texts: number; signal: AbortSignal },
): Promise<number> {
  const prompt = Array.from({ length: context }, (_, i) => (i * 7) % 100)
  const reduced = { temperature: 1, suffices: () => true }
  const written = Array.from({ length: texts }, () => {
    const tree = new Tree(runner, { signal, most: warmUp + counted, reduced })
    return { tree, leaf: tree.leaf(0) }
  })
  const write = (count: number) =>
    Promise.all(
      written.map(async ({ tree, leaf }) => {
        for (let i = 0; i < count; i++) {
          const [scores] = await tree.advance([{ leaf, tokens: [i] }])
          // Chosen, since that takes time too; but a device that computes wrongly is not to end the report.
          likeliest(scores![0]!)
        }
      }),
    )
  try {
    await Promise.all(written.map(({ tree }) => tree.prefill(prompt, [], [0])))
    await write(warmUp)
    const started = performance.now()
    await write(counted)
    return (1000 * texts * counted) / (performance.now() - started)
  } finally {
    for (const { tree } of written) tree.release()
  }
}
