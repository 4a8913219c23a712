import { GraphBuilder, type Graph } from './builder.ts'

/** A graph that clears memory, wherever it lies: `shape` int64 [1] → `zeros` int32 [shape]. */
export function zerosGraph(): Graph {
  const g = new GraphBuilder()
  const zero = g.cast('/zero/Cast', g.constant([0]), 'int32')
  g.node('/Expand', 'Expand', [zero, g.input('shape', 'int64', [1])], {}, [g.output('zeros', 'int32', ['n'])])
  return g.build('zeros')
}
