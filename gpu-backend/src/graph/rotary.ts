import type { DecoderConfig, RopeScaling } from '../checkpoint/index.ts'
import type { GraphBuilder, Value } from './builder.ts'
import type { ActivationType } from './precision.ts'

type Rotation = Pick<DecoderConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>

/** Elements that are computed at once: a million positions would keep the event loop for seconds. */
const pieceElements = 2 ** 18

/** cos and sin of position · frequency, each [positions, headDim / 2], computed in double precision, kept in `type`. */
export function rotaryTables(
  g: GraphBuilder,
  config: DecoderConfig,
  type: ActivationType = 'float32',
): { cos: Value; sin: Value } {
  const shape = [config.maxPositions, config.headDim / 2]
  return {
    cos: g.weight('rotary.cos', shape, type, () => rotaryTable(config, Math.cos)),
    sin: g.weight('rotary.sin', shape, type, () => rotaryTable(config, Math.sin)),
  }
}

function* rotaryTable(config: DecoderConfig, f: (angle: number) => number): Generator<Float32Array> {
  const { maxPositions, ropeScaling } = config
  const magnitude = ropeScaling.type === 'yarn' ? ropeScaling.magnitude : 1
  const frequencies = rotaryFrequencies(config)
  const step = Math.ceil(pieceElements / frequencies.length)
  for (let start = 0; start < maxPositions; start += step) {
    const rows = new Float32Array(Math.min(step, maxPositions - start) * frequencies.length)
    for (let i = 0, position = start; i < rows.length; position++)
      for (const frequency of frequencies) rows[i++] = magnitude * f(position * frequency)
    yield rows
  }
}

/** Radians that each pair of a head's elements turns by per position: theta^(-2i / headDim), scaled. [headDim / 2] */
export function rotaryFrequencies({ headDim, ropeTheta, ropeScaling: scaling }: Rotation): number[] {
  const plain = Array.from({ length: headDim / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headDim))
  if (scaling.type === 'linear') return plain.map((frequency) => frequency / scaling.factor)
  if (scaling.type === 'llama3') return llama3(plain, scaling)
  if (scaling.type === 'yarn') return yarn(plain, ropeTheta, scaling)
  return plain
}

function llama3(plain: readonly number[], scaling: Extract<RopeScaling, { type: 'llama3' }>): number[] {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling
  return plain.map((frequency) => {
    const turns = (scaling.originalPositions * frequency) / (2 * Math.PI)
    return blend(frequency / factor, frequency, (turns - low) / (high - low))
  })
}

function yarn(plain: readonly number[], theta: number, scaling: Extract<RopeScaling, { type: 'yarn' }>): number[] {
  const { factor, originalPositions, truncate } = scaling
  /** The pair, counted continuously, that turns so many times within the original length. */
  const pairOf = (turns: number) =>
    (plain.length * Math.log(originalPositions / (turns * 2 * Math.PI))) / Math.log(theta)
  const [first, last] = [pairOf(scaling.betaFast), pairOf(scaling.betaSlow)]
  const low = Math.max(truncate ? Math.floor(first) : first, 0)
  const high = Math.min(truncate ? Math.ceil(last) : last, 2 * plain.length - 1)
  // The reference implementation's way out of a division by zero.
  const width = high === low ? 0.001 : high - low
  return plain.map((frequency, i) => blend(frequency, frequency / factor, (i - low) / width))
}

/** From a (share 0 or below) to b (share 1 or above). */
function blend(a: number, b: number, share: number): number {
  const clamped = Math.min(Math.max(share, 0), 1)
  return a + (b - a) * clamped
}
