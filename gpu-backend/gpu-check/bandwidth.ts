import { availableParallelism } from 'node:os'
import { readBandwidth } from '../bench/bandwidth.ts'
import { GraphBuilder } from '../src/graph/builder.ts'
import { DeviceMemory, IoBinding, OnnxRuntimeError, Session, type Device } from '../src/onnxruntime/index.ts'

const passes = 20

/** Bytes a second that the device's memory gives: on CUDA, of one operator that reads a tensor and writes another. */
export async function memoryBandwidth(device: Device): Promise<number> {
  if (device === 'cpu') return readBandwidth(availableParallelism(), 3)
  try {
    return await copyBandwidth(device, 2 ** 28)
  } catch (error) {
    if (error instanceof OnnxRuntimeError) return copyBandwidth(device, 2 ** 25)
    throw error
  }
}

/** The fastest of several passes over `elements` float32 numbers. */
export async function copyBandwidth(device: Device, elements: number): Promise<number> {
  const g = new GraphBuilder()
  g.node('/Neg', 'Neg', [g.input('x', 'float32', ['n'])], {}, [g.output('y', 'float32', ['n'])])
  using session = await Session.open(g.build('copy').model, { device })
  using memory = new DeviceMemory(session)
  using x = memory.allocate('float32', [elements])
  using y = memory.allocate('float32', [elements])
  using binding = new IoBinding(session)
  binding.bindInput('x', x)
  binding.bindOutput('y', y)
  session.run(binding)
  let fastest = Infinity
  for (let pass = 0; pass < passes; pass++) {
    const started = performance.now()
    session.run(binding)
    fastest = Math.min(fastest, performance.now() - started)
  }
  return (1000 * 2 * 4 * elements) / fastest
}
