/**
 * What sampling needs of a row of logits, found where the logits lie. A vocabulary of 151,936 tokens is 600 kB a row: to
 * fetch and to sort it takes longer than to find its likeliest tokens, on a GPU and on a CPU.
 */
import { elementTypes } from '../onnxruntime/index.ts'
import { GraphBuilder, type Graph, type Value } from './builder.ts'

/** Requests seldom keep more (top-k is 20 to 50 as a rule), and more take longer to find. */
const mostTop = 64

/** ONNX's number of the type. */
const float64 = 11

/** Likeliest tokens that are found of each row. */
export const topCount = (vocabSize: number): number => Math.min(mostTop, vocabSize)

/**
 * Vocabularies from this size on are reduced unless somebody says otherwise, on every device. With smaller ones the further
 * nodes and outputs of every forward cost more than to fetch and to sort whole rows does.
 */
const fewestReduced = 4096

export const isReduced = (vocabSize: number): boolean => vocabSize >= fewestReduced

/**
 * Adds what follows the head in a graph that reduces its logits: K likeliest tokens, and what the whole vocabulary weighs.
 *
 * | input or output          | type, shape     | meaning                                                     |
 * | ------------------------ | --------------- | ----------------------------------------------------------- |
 * | `temperatures` (input)   | float32 [R, 1]  | above 0                                                     |
 * | `top_logits`             | float32 [R, K]  | the greatest logits, in descending order                    |
 * | `top_tokens`             | int32 [R, K]    | their tokens; CUDA gives equal logits in any order          |
 * | `weights`                | float32 [R, 1]  | Σ exp((logit − greatest) / temperature), all tokens         |
 */
export function reduceLogits(g: GraphBuilder, logits: Value, vocabSize: number): void {
  const count = topCount(vocabSize)
  const temperatures = g.input('temperatures', 'float32', ['R', 1])
  const top = g.output('top_logits', 'float32', ['R', count])
  const tokens = '/reduction/tokens'
  g.node('/reduction/TopK', 'TopK', [logits, g.constant([count])], {}, [top, tokens])
  const narrow = g.output('top_tokens', 'int32', ['R', count])
  g.node('/reduction/tokens/Cast', 'Cast', [tokens], { to: elementTypes.int32 }, [narrow])
  const greatest = g.node('/reduction/greatest/Gather', 'Gather', [top, g.constant([0])], { axis: 1 })
  // The greatest is taken off first: of small numbers less is lost in single precision.
  const below = g.node('/reduction/Sub', 'Sub', [logits, greatest])
  const powers = g.node('/reduction/Exp', 'Exp', [g.node('/reduction/Div', 'Div', [below, temperatures])])
  // In single precision the sum of a large vocabulary would be off by more than sampling allows.
  const wide = g.node('/reduction/wide/Cast', 'Cast', [powers], { to: float64 })
  const sum = g.node('/reduction/ReduceSum', 'ReduceSum', [wide, g.constant([1])])
  g.node('/reduction/sum/Cast', 'Cast', [sum], { to: elementTypes.float32 }, [g.output('weights', 'float32', ['R', 1])])
}

/** A graph of its own, which brings rows off the device: `logits` [R, V], `rows` int32 [W] → `picked` [W, V]. */
export function rowsGraph(vocabSize: number): Graph {
  const g = new GraphBuilder()
  const logits = g.input('logits', 'float32', ['R', vocabSize])
  const rows = g.input('rows', 'int32', ['W'])
  g.node('/Gather', 'Gather', [logits, rows], {}, [g.output('picked', 'float32', ['W', vocabSize])])
  return g.build('rows')
}
