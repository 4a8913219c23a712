import { expect, test } from 'vitest'
import { hasMoreItems, readJson } from './json.ts'

test.each([
  ['[]', 1],
  ['{"a":"b","c":[1,2,{}]}', 6],
  ['["[{\\"\\\\", "\\\\\\"]"]', 3],
  ['"open', 1],
])('%s has %i strings, lists and objects', (json, items) => {
  const text = json.padEnd(100)
  expect([items - 1, items].map((most) => hasMoreItems(text, most))).toEqual([true, false])
})

test('a body of too many parts is refused by what it is, and one that is no JSON by that', async () => {
  const read = (body: string) => readJson(new Request('http://a', { method: 'POST', body }))
  expect(await read(JSON.stringify({ a: Array.from({ length: 300_000 }, () => 1) }))).toHaveProperty(
    'a.length',
    300_000,
  )
  const many = read(JSON.stringify(Array.from({ length: 60_000 }, () => ({}))))
  await expect(many).rejects.toMatchObject({ status: 400, code: 'invalid_request' })
  await expect(read('{')).rejects.toMatchObject({ status: 400, code: 'invalid_json' })
})
