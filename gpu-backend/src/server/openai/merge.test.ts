import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { merge } from './merge.ts'

async function* numbers(count: number, log: string[] = [], name = ''): AsyncGenerator<number, void, undefined> {
  try {
    for (let i = 0; i < count; i++) yield i
  } finally {
    log.push(`${name} ended`)
  }
}

test('all items come, those of one source in order, and who waits for another begins after it', async () => {
  const got: string[] = []
  const sources = [numbers(3), numbers(2), numbers(2)]
  for await (const { index, item } of merge(sources, { after: (i) => (i === 1 ? 0 : undefined) }))
    got.push(`${index}:${item}`)
  expect(got.toSorted()).toEqual(['0:0', '0:1', '0:2', '1:0', '1:1', '2:0', '2:1'])
  expect(got.indexOf('1:0')).toBeGreaterThan(got.indexOf('0:0'))
  for (const source of ['0', '1', '2']) {
    const own = got.filter((entry) => entry.startsWith(source))
    expect(own).toEqual(own.toSorted())
  }
})

test('when one fails, or the reader leaves, all are told and then returned', async () => {
  for (const fails of [true, false]) {
    const log: string[] = []
    const stuck = Promise.withResolvers<void>()
    async function* waits(): AsyncGenerator<number, void, undefined> {
      await stuck.promise
      yield* numbers(5, log, 'stuck')
    }
    async function* failing(): AsyncGenerator<number, void, undefined> {
      yield 1
      if (fails) throw new Error('staged')
      yield* numbers(5, log, 'other')
    }
    const end = (): void => {
      log.push('told')
      stuck.resolve()
    }
    const reading = async (): Promise<void> => {
      let items = 0
      for await (const _ of merge([waits(), failing(), numbers(9, log, 'third')], { end })) if (++items === 4) break
    }
    if (fails) await expect(reading()).rejects.toThrow('staged')
    else await reading()
    expect(log[0]).toBe('told')
    expect(log).toContain('stuck ended')
    expect(log).toContain('third ended')
  }
})

test('while one takes long, nothing of the others is kept', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const stuck = Promise.withResolvers<void>()
  const items: WeakRef<object>[] = []
  let kept = Infinity
  async function* waits(): AsyncGenerator<object, void, undefined> {
    await stuck.promise
    yield {}
  }
  async function* many(): AsyncGenerator<object, void, undefined> {
    for (let i = 0; i < 1000; i++) {
      const item = { i }
      items.push(new WeakRef(item))
      yield item
    }
    await setImmediate()
    collect()
    kept = items.filter((item) => item.deref()).length
    stuck.resolve()
  }
  for await (const _ of merge([waits(), many()]));
  expect(items.length).toBe(1000)
  expect(kept).toBeLessThan(10)
})
