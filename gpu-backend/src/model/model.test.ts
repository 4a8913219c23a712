import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { causalRow, Model, joinedLogits, type Row, type TopScores } from './index.ts'
import { leavesCore } from './pace.ts'
import { keyRegion } from './region.ts'
import { orderTies } from './scores.ts'

interface Case {
  messages: { role: string; content: string }[]
  text: string
  ids: number[]
  positions: number[]
  /** float32 [positions, vocabulary] in base64. */
  logits: string
}

const root = path.join(import.meta.dirname, '../..')
const reference = JSON.parse(readFileSync(path.join(root, 'fixtures/reference.json'), 'utf8')) as Record<string, Case[]>
const slots = 2048

let cacheDir: string
beforeAll(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(cacheDir, { recursive: true }))

const load = (name: string) => Model.load(path.join(root, name), { slots, cacheDir })
const logitsOf = async (model: Model, rows: readonly Row[]) => joinedLogits(await model.forward(rows))
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)
}

describe.each(['fixtures/tiny-qwen3', 'models/draft', 'models/target', 'models/judge'])('%s', (name) => {
  const cases = reference[name] ?? []
  test('gives the logits of PyTorch (if not: run scripts/reference.py again)', async () => {
    expect(cases).not.toHaveLength(0)
    const model = await load(name)
    for (const { messages, text, ids, positions, logits } of cases) {
      expect(model.tokenizer.renderChat(messages, { addGenerationPrompt: true })).toBe(text)
      expect(model.tokenizer.encode(text)).toEqual(ids)
      const own = await logitsOf(model, [causalRow(ids, range(100, ids.length), [], positions)])
      const bytes = Uint8Array.from(Buffer.from(logits, 'base64'))
      expect(difference(own, new Float32Array(bytes.buffer))).toBeLessThan(1e-3)
    }
    model.close()
  })
})

test('a forward that leaves a core to others gives the same logits, and both see each other’s keys', async () => {
  const [cores, ids] = [availableParallelism(), range(3, 40)]
  using model = await Model.load(path.join(root, 'models/target'), { slots, cacheDir, threads: 2, beside: true })
  expect(model.leavesCore).toBe(cores > 1)
  const rows = [causalRow(ids, range(100, ids.length), [], [39])]
  const next = [causalRow([7], [200], range(100, ids.length), [0])]
  const both: Float32Array[][] = []
  for (const beside of [false, true]) {
    const scores = await model.forward(rows, { beside })
    both.push([joinedLogits(scores), joinedLogits(await model.forward(next, { beside: !beside }))])
  }
  for (const i of [0, 1]) expect(difference(both[0]![i]!, both[1]![i]!)).toBeLessThan(1e-4)
})

test.skipIf(availableParallelism() < 2)('who can leave a core to others', () => {
  expect(leavesCore({ threads: 2, parameters: 10e6 })).toBe(true)
  expect(leavesCore({ threads: 1, parameters: 1e9 })).toBe(true)
  // Its weights would be in memory twice.
  expect(leavesCore({ threads: 2, parameters: 1e9 })).toBe(false)
  expect(leavesCore({ threads: 8, parameters: 10e6 })).toBe(false)
  // It has one thread anyhow, and runs on the event loop's.
  expect(leavesCore({ threads: 1, parameters: 1e6 })).toBe(false)
  expect(leavesCore({ device: 'cuda', threads: 2, parameters: 10e6 })).toBe(false)
})

describe('a packed forward', () => {
  let model: Model
  beforeAll(async () => {
    model = await load('fixtures/tiny-qwen3')
  })
  afterAll(() => model.close())

  const ids = reference['fixtures/tiny-qwen3']![0]!.ids.slice(0, 48)
  const whole = (tokens: number[]) => logitsOf(model, [causalRow(tokens, range(1000, tokens.length))])
  const part = (logits: Float32Array, from: number, count = 1) =>
    logits.slice(from * model.config.vocabSize, (from + count) * model.config.vocabSize)

  test('one token at a time, in slots without order', async () => {
    const expected = await whole(ids)
    const context: number[] = []
    for (const [i, id] of ids.entries()) {
      const slot = (i * 577 + 3) % slots
      const logits = await logitsOf(model, [causalRow([id], [slot], context)])
      context.push(slot)
      expect(difference(logits, part(expected, i))).toBeLessThan(1e-4)
    }
  })

  test('keys are read where they lie, or collected where they lie far apart', async () => {
    const expected = await whole(ids)
    const [context, last] = [ids.slice(0, -1), ids.slice(-1)]
    const shuffled = range(0, ids.length).map((i) => 640 + ((i * 29) % ids.length))
    for (const [places, inPlace] of [
      [range(500, ids.length), true],
      [shuffled, true],
      [range(0, ids.length).map((i) => 40 * i), false],
    ] as const) {
      const [before, own] = [places.slice(0, -1), places.slice(-1)]
      const row = causalRow(last, own, before)
      expect(keyRegion([row], slots) !== undefined).toBe(inPlace)
      await model.forward([causalRow(context, before, [], [])])
      expect(difference(await logitsOf(model, [row]), part(expected, ids.length - 1))).toBeLessThan(1e-4)
    }
  })

  test('a tree of two branches that share a context', async () => {
    const context = range(300, 20)
    await model.forward([causalRow(ids.slice(0, 20), context, [], [])])
    const branches = [
      [5, 6, 7],
      [8, 9, 10, 11],
    ] as const
    // The branches' tokens alternate: 5 8 6 9 7 10 11.
    const order = [0, 1, 0, 1, 0, 1, 1]
    const depth = [0, 0, 1, 1, 2, 2, 3]
    const writeSlots = [9, 1999, 55, 7, 1500, 8, 11]
    const tree: Row = {
      tokens: order.map((branch, i) => branches[branch]![depth[i]!]!),
      positions: depth.map((d) => 20 + d),
      writeSlots,
      keySlots: Int32Array.from([...context, ...writeSlots]),
      sees: order.map((branch, i) => [
        [0, 20],
        ...order.flatMap((other, j) => (other === branch && j <= i ? [[20 + j, 21 + j] as const] : [])),
      ]),
      logitRows: range(0, 7),
    }
    const logits = await logitsOf(model, [tree])
    for (const [branch, tokens] of branches.entries()) {
      const expected = await whole([...ids.slice(0, 20), ...tokens])
      order.forEach((b, i) => {
        if (b === branch) expect(difference(part(logits, i), part(expected, 20 + depth[i]!))).toBeLessThan(1e-4)
      })
    }
  })

  test('two rows of different lengths in scattered slots, some logits wanted', async () => {
    const [a, b] = [ids.slice(0, 40), ids.slice(8, 24).toReversed()]
    const [contextA, contextB] = [range(0, 37).map((i) => 2 * i), range(0, 14).map((i) => 1777 - 3 * i)]
    await model.forward([causalRow(a.slice(0, 37), contextA, [], []), causalRow(b.slice(0, 14), contextB, [], [])])
    const logits = await logitsOf(model, [
      causalRow(a.slice(37), [1, 1900, 3], contextA, [2]),
      causalRow(b.slice(14), [5, 1901], contextB, [1, 0]),
    ])
    const [wholeA, wholeB] = [await whole(a), await whole(b)]
    expect(difference(part(logits, 0), part(wholeA, 39))).toBeLessThan(1e-4)
    expect(difference(part(logits, 1), part(wholeB, 15))).toBeLessThan(1e-4)
    expect(difference(part(logits, 2), part(wholeB, 14))).toBeLessThan(1e-4)
  })

  test('a row may want no logits, and no rows give none', async () => {
    expect(await model.forward([causalRow([1, 2], [0, 1], [], [])])).toHaveLength(0)
    expect(await model.forward([])).toHaveLength(0)
  })

  test('forwards asked for at once run in order and do not disturb each other', async () => {
    const expected = await whole(ids)
    // Each token needs its predecessor's key, so a forward out of order would show. The long one runs on another thread.
    const runs = ids.map((id, i) => logitsOf(model, [causalRow([id], [i], range(0, i))]))
    const long = logitsOf(model, [
      causalRow(
        Array.from({ length: 400 }, (_, i) => i % 256),
        range(600, 400),
      ),
    ])
    const last = logitsOf(model, [causalRow(ids.slice(-1), [ids.length], range(0, ids.length - 1))])
    for (const [i, run] of runs.entries()) expect(difference(await run, part(expected, i))).toBeLessThan(1e-4)
    expect(await long).toHaveLength(400 * model.config.vocabSize)
    expect(difference(await last, part(expected, ids.length - 1))).toBeLessThan(1e-4)
  })

  test('the event loop gets its turns between many small forwards', async () => {
    let turns = 0
    let next = setImmediate(function count() {
      turns++
      next = setImmediate(count)
    })
    // As if each forward took a millisecond, however fast or busy the machine is.
    let time = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => time++)
    for (let forwards = 0; forwards < 100; forwards++) await model.forward([causalRow([1], [0])])
    clock.mockRestore()
    clearImmediate(next)
    expect(turns).toBeGreaterThan(10)
  })

  const good = causalRow([1], [0])
  test.each<[string, Partial<Row>, string]>([
    ['a token outside the vocabulary', { tokens: [261] }, 'token 261'],
    ['a position beyond the last', { positions: [512] }, 'position 512'],
    ['a slot outside the pool', { writeSlots: [slots] }, `write slot ${slots}`],
    ['a key outside the pool', { keySlots: [-1] }, 'key slot -1'],
    ['a key beyond the list', { sees: [[[0, 2]]] }, 'keys 0 to 2 of 1'],
    ['logits of a token that is not there', { logitRows: [1] }, 'logit row 1'],
    ['a list that is too short', { positions: [] }, '1 tokens'],
    ['no token', { tokens: [] }, 'needs a token'],
  ])('refuses %s, and goes on', async (_, wrong, message) => {
    await expect(model.forward([good, { ...good, ...wrong }])).rejects.toThrow(message)
    expect(await logitsOf(model, [good])).toHaveLength(model.config.vocabSize)
  })
})

describe('a model that reduces its logits', () => {
  let model: Model
  beforeAll(async () => {
    model = await Model.load(path.join(root, 'fixtures/tiny-qwen3'), { slots, cacheDir, reducedLogits: true })
  })
  afterAll(() => model.close())
  const text = range(1, 30)
  const top = (row: Row, suffices: (top: TopScores) => boolean, temperature = 0.7): Row => ({
    ...row,
    reduced: { temperature, suffices },
  })

  test('gives each row what it asks for, and whole rows where the likeliest tokens are not enough', async () => {
    const plain = await load('fixtures/tiny-qwen3')
    const [a, b] = [causalRow(text, range(0, 30)), causalRow(text.toReversed(), range(100, 30))]
    const expected = (await plain.forward([a, b])) as Float32Array[]
    plain.close()
    const seen: TopScores[] = []
    const everyThird = () => seen.length % 3 !== 0
    const scores = await model.forward([a, top(b, (own) => (seen.push(own), everyThird()))])
    expect(scores).toHaveLength(60)
    for (const [i, own] of scores.entries()) {
      const row = expected[i]!
      if (own instanceof Float32Array) expect(difference(own, row)).toBeLessThan(1e-5)
      else {
        const order = range(0, row.length).toSorted((x, y) => row[y]! - row[x]!)
        expect([...own.tokens]).toEqual(order.slice(0, 64))
        expect(
          difference(
            own.logits,
            Float32Array.from(own.tokens, (token) => row[token]!),
          ),
        ).toBeLessThan(1e-5)
        const weight = row.reduce((sum, logit) => sum + Math.exp((logit - row[order[0]!]!) / 0.7), 0)
        expect(own.weight).toBeCloseTo(weight, 3)
      }
    }
    expect(scores.map((own) => own instanceof Float32Array)).toEqual([
      ...a.tokens.map(() => true),
      ...b.tokens.map((_, i) => (i + 1) % 3 === 0),
    ])
  })

  test('forwards of any size follow one another, and of no logits too', async () => {
    for (const count of [3, 200, 1, 0, 2]) {
      const row = causalRow(range(1, 200), range(0, 200), [], range(0, count))
      const all = await model.forward([row])
      const likeliest = (await model.forward([top(row, () => true)])) as TopScores[]
      expect([all.length, likeliest.length]).toEqual([count, count])
      for (const [i, { tokens }] of likeliest.entries()) {
        const logits = all[i] as Float32Array
        expect(logits[tokens[0]!]).toBe(logits.reduce((most, logit) => Math.max(most, logit)))
      }
    }
  })

  test('refuses a temperature of 0', async () => {
    await expect(model.forward([top(causalRow([1], [0]), () => true, 0)])).rejects.toThrow('temperature 0')
  })

  test('equally likely tokens are in the order of their ids, whatever order the device finds them in', () => {
    const tokens = Int32Array.of(9, 3, 7, 5, 2, 8)
    orderTies(Float32Array.of(4, 2, 2, 2, 1, 1), tokens)
    expect([...tokens]).toEqual([9, 3, 5, 7, 2, 8])
  })
})

test('a failure in the native run leaves the model usable', async () => {
  const model = await load('fixtures/tiny-qwen3')
  const row = causalRow([1], [0])
  const before = await logitsOf(model, [row])
  // A typed array may not be changed between the check and the run by honest means, so the check is misled.
  let reads = 0
  const misleading = new Proxy([1], {
    get: (target, key) => (key === '0' && ++reads > 1 ? 1e6 : Reflect.get(target, key)),
  })
  await expect(model.forward([{ ...row, tokens: misleading }])).rejects.toMatchObject({ name: 'OnnxRuntimeError' })
  expect(difference(await logitsOf(model, [row]), before)).toBe(0)
  model.close()
})

test('closing lets the forwards under way end, and refuses later ones', async () => {
  const model = await load('fixtures/tiny-qwen3')
  const running = logitsOf(model, [causalRow(range(0, 200), range(0, 200))])
  model.close()
  model.close()
  const late = model.forward([causalRow([1], [0])])
  expect(await running).toHaveLength(200 * model.config.vocabSize)
  await expect(late).rejects.toMatchObject({ name: 'ModelError', code: 'closed' })
})

test('a stored graph that was damaged is built anew', async () => {
  const own = path.join(cacheDir, 'damaged')
  const loadOwn = () => Model.load(path.join(root, 'fixtures/tiny-qwen3'), { slots: 1, cacheDir: own })
  ;(await loadOwn()).close()
  const files = await readdir(path.join(own, 'graphs'), { recursive: true })
  const weights = files.find((name) => name.endsWith('weights.bin'))!
  await truncate(path.join(own, 'graphs', weights), 4096)
  ;(await loadOwn()).close()
})

test('slots that no memory holds are refused by their number', async () => {
  const loading = Model.load(path.join(root, 'fixtures/tiny-qwen3'), { slots: 2 ** 40, cacheDir })
  await expect(loading).rejects.toMatchObject({ name: 'ModelError', code: 'invalid' })
  await expect(loading).rejects.toThrow(/no memory for 1099511627776 token slots .*--memory/)
})

test('a text ends where only the tokenizer’s configuration says so', async () => {
  const folder = path.join(cacheDir, 'eos')
  await cp(path.join(root, 'fixtures/tiny-qwen3'), folder, { recursive: true })
  await rm(path.join(folder, 'generation_config.json'))
  const model = await Model.load(folder, { slots: 1, cacheDir })
  expect(model.generation.eosTokenIds).toEqual([model.tokenizer.tokenId('<|im_end|>')])
  model.close()
})

test('a broken folder gives a ModelError of one line', async () => {
  const folder = path.join(cacheDir, 'broken')
  await cp(path.join(root, 'fixtures/tiny-qwen3'), folder, { recursive: true })
  const loadBroken = () => Model.load(folder, { slots: 1, cacheDir })
  await writeFile(path.join(folder, 'model-00001-of-00002.safetensors'), new Uint8Array(20))
  await expect(loadBroken()).rejects.toMatchObject({
    name: 'ModelError',
    code: 'invalid',
    message: expect.not.stringContaining('\n'),
  })
  await rm(path.join(folder, 'model-00001-of-00002.safetensors'))
  await expect(loadBroken()).rejects.toMatchObject({ name: 'ModelError', code: 'not_found' })
  await cp(path.join(root, 'fixtures/tiny-qwen3'), folder, { recursive: true, force: true })
  const config = await readFile(path.join(folder, 'config.json'), 'utf8')
  await writeFile(path.join(folder, 'config.json'), config.replace('"vocab_size": 261', '"vocab_size": 260'))
  await expect(loadBroken()).rejects.toThrow('tokenizer has 261')
  await expect(Model.load('/nowhere', { slots: 1 })).rejects.toMatchObject({ name: 'ModelError', code: 'not_found' })
  await expect(Model.load(folder, { slots: 0 })).rejects.toThrow(RangeError)
})
