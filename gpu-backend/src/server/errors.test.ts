import { expect, test, vi } from 'vitest'
import { OnnxRuntimeError } from '../onnxruntime/index.ts'
import { publicError } from './errors.ts'

test('a forward without memory may be tried again; what is unforeseen stays inside; both are logged', () => {
  const log = vi.spyOn(console, 'error').mockReturnValue()
  const short = new OnnxRuntimeError('bfc_arena.cc:359 Failed to allocate memory for requested buffer of size 4096')
  expect(publicError(short)).toMatchObject({ status: 503, code: 'out_of_memory', retryAfter: 1 })
  expect(publicError(new OnnxRuntimeError('secret'))).toMatchObject({ status: 500, code: 'internal_error' })
  expect(publicError(new Error('secret')).message).not.toContain('secret')
  expect(log).toHaveBeenCalledTimes(3)
  log.mockRestore()
})
