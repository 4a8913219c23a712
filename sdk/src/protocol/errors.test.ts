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
