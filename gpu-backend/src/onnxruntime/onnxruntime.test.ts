import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { GraphBuilder } from '../graph/builder.ts'
import { api } from './api.ts'
import { cudaProblem, DeviceMemory, explained, IoBinding, OnnxRuntimeError, Session, Tensor } from './index.ts'

/** sum [n] = x [n] + y [n] */
function adder(): Uint8Array {
  const g = new GraphBuilder()
  const inputs = [g.input('x', 'float32', ['n']), g.input('y', 'float32', ['n'])]
  g.node('/Add', 'Add', inputs, {}, [g.output('sum', 'float32', ['n'])])
  return g.build('adder').model
}

async function bound(length: number) {
  const session = await Session.open(adder(), { threads: 1 })
  const binding = new IoBinding(session)
  const sum = new Float32Array(length)
  binding.bindInput(
    'x',
    new Tensor(
      'float32',
      Float32Array.from({ length }, (_, i) => i),
      [length],
    ),
  )
  binding.bindInput('y', new Tensor('float32', new Float32Array(length).fill(10), [length]))
  binding.bindOutput('sum', new Tensor('float32', sum, [length]))
  return { session, binding, sum }
}

test('runs on this thread and on another', async () => {
  const { session, binding, sum } = await bound(3)
  session.run(binding)
  expect([...sum]).toEqual([10, 11, 12])
  sum.fill(0)
  await session.runAsync(binding)
  expect([...sum]).toEqual([10, 11, 12])
  binding.close()
  session.close()
  session.close()
})

test('nothing that a run needs is collected as garbage', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { session, binding, sum } = await bound(100_000)
  const turn = () => new Promise((resolve) => setTimeout(resolve, 5))
  for (let round = 0; round < 10; round++) {
    const run = session.runAsync(binding)
    collect()
    await turn()
    // Memory given back by mistake would be handed out here.
    const others = Array.from({ length: 20 }, () => new Float32Array(100_000).fill(-1))
    await run
    expect(others.at(-1)![0]).toBe(-1)
    expect([sum[0], sum[99_999]]).toEqual([10, 100_009])
    sum.fill(0)
  }
})

test('says what ONNX Runtime says', async () => {
  await expect(Session.open(new Uint8Array([1, 2, 3]))).rejects.toThrow(OnnxRuntimeError)
  await expect(Session.open('/nowhere/model.onnx')).rejects.toThrow('/nowhere/model.onnx')
  const { session, binding, sum } = await bound(3)
  const other = new IoBinding(session)
  expect(() => other.bindInput('z', new Tensor('float32', new Float32Array(3), [3]))).toThrow('mapping: z')
  binding.bindInput('y', new Tensor('float32', new Float32Array(2), [2]))
  expect(() => session.run(binding)).toThrow(OnnxRuntimeError)
  await expect(session.runAsync(binding)).rejects.toThrow(OnnxRuntimeError)
  binding.bindInput('y', new Tensor('float32', new Float32Array(3), [3]))
  session.run(binding)
  expect([...sum]).toEqual([0, 1, 2])
})

test('what one session has done with, the next takes', async () => {
  const n = 5000
  const g = new GraphBuilder()
  const products = g.node('/Mul', 'Mul', [g.input('x', 'float32', ['n', 1]), g.input('y', 'float32', [1, 'n'])])
  g.node('/Sum', 'ReduceSum', [products, g.constant([0, 1])], { keepdims: 0 }, [g.output('sum', 'float32', [])])
  const { model } = g.build('products')
  const memoryAfterRun = async () => {
    const session = await Session.open(model, { threads: 1 })
    const binding = new IoBinding(session)
    const sum = new Float32Array(1)
    binding.bindInput('x', new Tensor('float32', new Float32Array(n).fill(1), [n, 1]))
    binding.bindInput('y', new Tensor('float32', new Float32Array(n).fill(1), [1, n]))
    binding.bindOutput('sum', new Tensor('float32', sum, []))
    session.run(binding)
    expect(sum[0]! / n ** 2).toBeCloseTo(1, 1)
    return process.memoryUsage.rss()
  }
  const first = await memoryAfterRun()
  expect(await memoryAfterRun()).toBeLessThan(first + (4 * n ** 2) / 2)
})

test('a session cannot be closed under a run', async () => {
  const { session, binding } = await bound(1000)
  const run = session.runAsync(binding)
  expect(() => session.close()).toThrow('during a run')
  await run
  session.close()
})

test('a tensor needs as much memory as its shape', () => {
  expect(() => new Tensor('int64', new Int32Array(4), [3])).toThrow('needs 24 bytes, not 16')
})

test('a tensor of the device is input and output at once, and keeps what one run wrote for the next', async () => {
  const session = await Session.open(adder(), { threads: 1 })
  const memory = new DeviceMemory(session)
  const kept = memory.allocate('float32', [3])
  const ones = new Tensor('float32', Float32Array.of(1, 1, 1), [3])
  const sum = new Float32Array(3)
  const binding = new IoBinding(session)
  binding.bindInput('x', ones)
  binding.bindInput('y', ones)
  binding.bindOutput('sum', kept)
  session.run(binding)
  binding.bindInput('x', kept)
  session.run(binding)
  await session.runAsync(binding)
  binding.bindOutput('sum', new Tensor('float32', sum, [3]))
  session.run(binding)
  expect([...sum]).toEqual([5, 5, 5])
  binding.close()
  kept.close()
  kept.close()
  memory.close()
  session.close()
})

test('memory that cannot be had is an error', async () => {
  const session = await Session.open(adder(), { threads: 1 })
  const memory = new DeviceMemory(session)
  expect(() => memory.allocate('float32', [2 ** 50])).toThrow(OnnxRuntimeError)
  memory.close()
  session.close()
})

test.skipIf(cudaProblem() === undefined)('where there is no CUDA, asking for it is an error', async () => {
  expect(cudaProblem()).toMatch(/install-cuda|CUDA|cuda/)
  await expect(Session.open(adder(), { device: 'cuda' })).rejects.toThrow(OnnxRuntimeError)
})

test.each([
  ['cpu', 1],
  ['cuda', 2],
] as const)('a tensor of the host is bound anew where binding copies it: %s', async (device, times) => {
  const { pointer } = await Session.open(adder(), { threads: 1 })
  const binding = new IoBinding({ pointer, device })
  const bindInput = vi.spyOn(api(), 'bindInput')
  const x = new Tensor('float32', Float32Array.of(1), [1])
  binding.bindInput('x', x)
  binding.bindInput('x', x)
  expect(bindInput).toHaveBeenCalledTimes(times)
  bindInput.mockRestore()
})

test('what ONNX Runtime says of a machine without a device is cut to what matters', () => {
  const said =
    'provider_options_utils.h:187 Parse Failed to parse provider option "device_id": CUDA failure 100: no CUDA-capable device is detected ; GPU=0 ; hostname=vm ; file=/onnxruntime_src/cuda_execution_provider_info.cc ; line=69 ; expr=cudaGetDeviceCount(&num_devices);\n'
  expect(explained(new OnnxRuntimeError(said))).toMatch(
    /^CUDA failure 100: no CUDA-capable device is detected \(.*docs\/gpu.md\)$/,
  )
})
