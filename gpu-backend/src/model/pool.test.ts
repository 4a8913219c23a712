import { expect, test, vi } from 'vitest'
import { poolNames } from '../graph/index.ts'
import { GraphBuilder } from '../graph/builder.ts'
import { DeviceMemory, DeviceTensor, IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import { PoolBindings } from './pool-bindings.ts'
import { KeyValuePool } from './pool.ts'
import type { Region } from './region.ts'

const [slots, width] = [2048, 2]

/** A model of one layer that shows its keys, and adds `x` to all of them. */
async function open() {
  const g = new GraphBuilder()
  const { past, present } = poolNames(0)
  const shape = [1, 'N', width]
  for (const kind of ['key', 'value'] as const) {
    const inputs = [g.input(past[kind], 'float32', shape), g.input(`${kind}.x`, 'float32', [1])]
    g.node(`/${kind}/Add`, 'Add', inputs, {}, [g.output(present[kind], 'float32', shape)])
  }
  g.node('/shown/Neg', 'Neg', [past.key], {}, [g.output('shown', 'float32', shape)])
  return Session.open(g.build('model').model, { threads: 1 })
}

test('slots are cleared before they are first used, and never again; a region is a part of the pool', async () => {
  using session = await open()
  // What the memory held before: the pool is likely to be given the same.
  using memory = new DeviceMemory(session)
  const dirt = Array.from({ length: 4 }, () => memory.allocate('float32', [1, slots, width]))
  using binding = new IoBinding(session)
  const nan = new Tensor('float32', new Float32Array(slots * width).fill(NaN), [1, slots, width])
  const shown = new Tensor('float32', new Float32Array(slots * width), [1, slots, width])
  const { past, present } = poolNames(0)
  for (const kind of ['key', 'value'] as const) {
    binding.bindInput(past[kind], nan)
    binding.bindInput(`${kind}.x`, new Tensor('float32', Float32Array.of(1), [1]))
  }
  binding.bindOutput('shown', shown)
  for (const tensor of dirt) {
    binding.bindOutput(present.key, tensor)
    binding.bindOutput(present.value, tensor)
    session.run(binding)
  }
  // Lets go of the tensors that the binding still has.
  for (const kind of ['key', 'value'] as const) binding.bindOutput(present[kind], nan)
  for (const tensor of dirt) tensor.close()

  using pool = await KeyValuePool.open(session, { layers: 1, slots, width, type: 'float32' })
  using bindings = new PoolBindings(session, pool)
  const run = (region: Region | undefined, end: number, output: Tensor) => {
    const own = bindings.binding(region, end)
    for (const kind of ['key', 'value'] as const)
      own.bindInput(`${kind}.x`, new Tensor('float32', Float32Array.of(1), [1]))
    own.bindOutput('shown', output)
    session.run(own)
  }
  const keys = (from: number, count: number) => {
    const data = new Float32Array(count * width)
    run({ from, count, stretches: [] }, from + count, new Tensor('float32', data, [1, count, width]))
    return data.map((value) => Math.abs(value))
  }
  expect(keys(100, 2)).toEqual(new Float32Array(4).fill(0))
  expect(keys(100, 3)).toEqual(Float32Array.of(1, 1, 1, 1, 0, 0))
  // The whole pool, beyond what has been cleared so far.
  run(undefined, slots, shown)
  expect(shown.data.every((value) => !Number.isNaN(value))).toBe(true)
  expect(shown.data.slice(200, 206)).toEqual(Float32Array.of(-2, -2, -2, -2, -1, -1))
  // A region that was used long ago, and let go of since.
  for (let from = 0; from < 100; from++) keys(from, 1)
  expect(keys(101, 1)).toEqual(Float32Array.of(3, 3))
})

test('a pool that finds too little memory gives back what it had', async () => {
  using session = await open()
  const allocate = DeviceMemory.prototype.allocate
  let tensors = 0
  const allocating = vi.spyOn(DeviceMemory.prototype, 'allocate').mockImplementation(function (
    this: DeviceMemory,
    ...of
  ) {
    if (++tensors === 3) throw new Error('no memory')
    return allocate.apply(this, of)
  })
  const closed = [DeviceTensor, DeviceMemory, Session].map(({ prototype }) => vi.spyOn(prototype, 'close'))
  await expect(KeyValuePool.open(session, { layers: 2, slots, width, type: 'float32' })).rejects.toThrow('no memory')
  expect(closed.map(({ mock }) => mock.calls.length)).toEqual([2, 1, 1])
  for (const spy of [allocating, ...closed]) spy.mockRestore()
})
