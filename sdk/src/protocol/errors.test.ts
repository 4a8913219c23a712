import * as v from 'valibot'
import { expect, test, vi } from 'vitest'
import { parseRequest } from './errors.ts'

test('a body of many faults is refused for the first, and the rest is not looked at', () => {
  const isRight = vi.fn((value: number) => value > 0)
  const schema = v.object({ list: v.array(v.pipe(v.number(), v.check(isRight, 'must be more than 0'))) })
  expect(() => parseRequest(schema, { list: [1, -1, -2, -3] })).toThrow(
    expect.objectContaining({ status: 400, message: 'list.1: must be more than 0', param: 'list.1' }),
  )
  expect(isRight).toHaveBeenCalledTimes(2)
})

test.each([
  [{ list: [{}] }, 'list.0.name: is missing', 'list.0.name'],
  [{}, 'list: is missing', 'list'],
  [{ list: [], foo: 1 }, 'foo: is no field of this request', 'foo'],
  [{ list: [{ name: 1 }] }, 'list.0.name: must be text', 'list.0.name'],
  ['list', 'the body must be an object', null],
  [[], 'the body must be an object', null],
  [null, 'the body must be an object', null],
])('%j: %s', (body, message, param) => {
  const schema = v.strictObject({ list: v.array(v.object({ name: v.string('must be text') })) })
  expect(() => parseRequest(schema, body)).toThrow(expect.objectContaining({ status: 400, message, param }))
})
