/** How fast this machine multiplies: the bound of packed forwards, as the memory's bandwidth is that of single tokens. */
import type { DecoderConfig } from '../src/checkpoint/index.ts'
import { GraphBuilder } from '../src/graph/builder.ts'
import { elementBytes, IoBinding, Session, Tensor } from '../src/onnxruntime/index.ts'
import { weightBytes } from './bandwidth.ts'

/** Of both factors, rows and columns: enough work for every thread, in matrices that the caches hold. */
const size = 1024

/** The fastest of several products of float32 matrices by ONNX Runtime, in floating-point operations a second. */
export async function readArithmetic(threads: number, passes: number): Promise<number> {
  const g = new GraphBuilder()
  const shape = [size, size]
  const factors = ['left', 'right'].map((name) => g.input(name, 'float32', shape))
  g.node('/MatMul', 'MatMul', factors, {}, [g.output('product', 'float32', shape)])
  using session = await Session.open(g.build('arithmetic').model, { threads })
  using binding = new IoBinding(session)
  using left = new Tensor('float32', new Float32Array(size * size).fill(1), shape)
  using product = new Tensor('float32', new Float32Array(size * size), shape)
  for (const factor of factors) binding.bindInput(factor, left)
  binding.bindOutput('product', product)
  let fastest = 0
  for (let pass = 0; pass < passes; pass++) {
    const started = performance.now()
    session.run(binding)
    fastest = Math.max(fastest, (1000 * 2 * size ** 3) / (performance.now() - started))
  }
  return fastest
}

/** Floating-point operations of a token in the linear layers: a product and a sum for each weight, whatever it is kept as. */
export function tokenOperations(config: DecoderConfig): number {
  return 2 * (weightBytes(config, { weights: 'fp32', activations: 'float32' }) / elementBytes.float32)
}
