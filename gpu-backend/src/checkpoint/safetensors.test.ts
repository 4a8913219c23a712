import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Checkpoint } from './checkpoint.ts'
import { SafetensorsFile } from './safetensors.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A .safetensors file of this header, padded to even length, and these bytes. */
async function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Promise<string> {
  const json = typeof header === 'string' ? header : JSON.stringify(header)
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8))
  const prefix = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer)
  const name = path.join(folder, `${Math.random()}.safetensors`)
  await writeFile(name, Buffer.concat([prefix, text, data]))
  return name
}

const bytes = (array: Uint16Array | Float32Array) => new Uint8Array(array.buffer)

test.each([
  ['F32', bytes(new Float32Array([1.5, -2, 0.1])), [1.5, -2, Math.fround(0.1)]],
  ['BF16', bytes(new Uint16Array([0x3fc0, 0xc000, 0x7f80])), [1.5, -2, Infinity]],
  [
    'F16',
    bytes(new Uint16Array([0x3e00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x8000])),
    [1.5, -2, 2 ** -24, 65504, -Infinity, -0],
  ],
])('reads %s', async (dtype, data, expected) => {
  const shape = [expected.length]
  const header = { __metadata__: { format: 'pt' }, x: { dtype, shape, data_offsets: [0, data.length] } }
  const opened = await SafetensorsFile.open(await file(header, data))
  expect([...opened.names]).toEqual(['x'])
  expect(opened.shape('x')).toEqual(shape)
  expect([...(await opened.read('x'))]).toEqual(expected)
  await expect(opened.read('y')).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('tensor y'),
  })
  await opened.close()
})

test('reads every finite float16 as the hardware does', async () => {
  const bits = Uint16Array.from({ length: 0x7c00 }, (_, i) => i)
  const data = bytes(bits)
  const header = { x: { dtype: 'F16', shape: [bits.length], data_offsets: [0, data.length] } }
  const opened = await SafetensorsFile.open(await file(header, data))
  const values = await opened.read('x')
  const view = new DataView(data.buffer) as DataView & { getFloat16?: (at: number, little: boolean) => number }
  if (view.getFloat16) for (const i of bits) expect(values[i]).toBe(view.getFloat16(2 * i, true))
  await opened.close()
})

test('reads a large tensor in pieces of whole rows, in order', async () => {
  const [rows, columns] = [1000, 5000]
  const data = bytes(Float32Array.from({ length: rows * columns }, (_, i) => i))
  const header = { x: { dtype: 'F32', shape: [rows, columns], data_offsets: [0, data.length] } }
  const opened = await SafetensorsFile.open(await file(header, data))
  let next = 0
  let pieces = 0
  for await (const piece of opened.pieces('x')) {
    expect(piece.length % columns).toBe(0)
    expect(piece.byteLength).toBeLessThanOrEqual(4 * 2 ** 20)
    expect([piece[0], piece.at(-1)]).toEqual([next, next + piece.length - 1])
    next += piece.length
    pieces++
  }
  expect(next).toBe(rows * columns)
  expect(pieces).toBeGreaterThan(1)
  expect((await opened.read('x')).at(-1)).toBe(next - 1)
  await opened.close()
})

const entry = (data_offsets: number[], dtype = 'F32', shape = [2]) => ({ x: { dtype, shape, data_offsets } })

test.each([
  ['a header that is not JSON', '{"x":', 'invalid'],
  ['an entry without a shape', { x: { dtype: 'F32', data_offsets: [0, 8] } }, 'invalid'],
  ['data beyond the end', entry([0, 8]), 'invalid'],
  ['a length that contradicts the shape', entry([0, 4]), 'invalid'],
  ['offsets in reverse', entry([8, 0]), 'invalid'],
  ['a negative offset', entry([-8, 0]), 'invalid'],
  ['data of another type beyond the end', entry([0, 8], 'I64'), 'invalid'],
])('refuses %s', async (_, header, code) => {
  const name = await file(header, new Uint8Array(4))
  await expect(SafetensorsFile.open(name)).rejects.toMatchObject({ name: 'ModelError', code })
  await expect(SafetensorsFile.open(name)).rejects.toThrow(name)
})

test('a tensor of a type that cannot be read is refused only when it is asked for', async () => {
  const header = {
    inv_freq: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
    odd: { dtype: 'constructor', shape: [2], data_offsets: [8, 9] },
    x: { dtype: 'F32', shape: [1], data_offsets: [9, 13] },
  }
  const name = await file(header, new Uint8Array([...Array<number>(9).fill(0), ...bytes(new Float32Array([1.5]))]))
  const opened = await SafetensorsFile.open(name)
  expect([...(await opened.read('x'))]).toEqual([1.5])
  for (const [tensor, type] of [
    ['inv_freq', 'I64'],
    ['odd', 'constructor'],
  ] as const) {
    const refused = { code: 'unsupported', message: expect.stringContaining(`tensor ${tensor} is ${type}`) }
    await expect(opened.read(tensor)).rejects.toMatchObject(refused)
  }
  await opened.close()
  await rename(name, path.join(folder, 'model.safetensors'))
  await using checkpoint = await Checkpoint.open(folder)
  checkpoint.assertTensor('x', [1])
  expect(() => checkpoint.assertTensor('inv_freq', [1])).toThrow('tensor inv_freq is I64')
})

test('tensors may have names that every object of JavaScript knows', async () => {
  const names = ['constructor', '__proto__', 'prototype', 'toString']
  const entries = names.map((name, i) => `"${name}":{"dtype":"F32","shape":[1],"data_offsets":[${4 * i},${4 * i + 4}]}`)
  const opened = await SafetensorsFile.open(await file(`{${entries.join()}}`, bytes(new Float32Array([1, 2, 3, 4]))))
  expect([...opened.names]).toEqual(names)
  for (const [i, name] of names.entries()) expect([...(await opened.read(name))]).toEqual([i + 1])
  expect(opened.shape('valueOf')).toBeUndefined()
  await opened.close()
})

test('refuses files that are missing, empty, or shorter than their header', async () => {
  await expect(SafetensorsFile.open(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'not_found' })
  const name = path.join(folder, 'short')
  await writeFile(name, '')
  await expect(SafetensorsFile.open(name)).rejects.toMatchObject({ code: 'invalid' })
  await writeFile(name, new Uint8Array(new BigUint64Array([1n << 60n]).buffer))
  await expect(SafetensorsFile.open(name)).rejects.toMatchObject({ code: 'invalid' })
})
