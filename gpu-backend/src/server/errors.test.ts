import { expect, onTestFinished, test, vi } from 'vitest'
import { ProtocolError } from '@lookahead/sdk/protocol'
import { EngineError } from '../engine/errors.ts'
import { OnnxRuntimeError } from '../onnxruntime/index.ts'
import { publicError } from './errors.ts'

const request = { request_id: 'run-7', path: '/v1/verify' }

test('a forward without memory may be tried again; what is unforeseen stays inside; each is a line in the log', () => {
  const log = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => log.mockRestore())
  const short = new OnnxRuntimeError('bfc_arena.cc:359 Failed to allocate memory for requested buffer of size 4096')
  expect(publicError(short, request)).toMatchObject({ status: 503, code: 'out_of_memory', retryAfter: 1 })
  expect(publicError(new OnnxRuntimeError('secret'), request)).toMatchObject({ status: 500, code: 'internal_error' })
  const unforeseen = new Error('secret', { cause: new Error('the deeper one') })
  expect(publicError(unforeseen, request).message).not.toContain('secret')
  expect(publicError('thrown', request).status).toBe(500)
  const lines = log.mock.calls.map(([line]) => JSON.parse(line as string) as object)
  const failed = { event: 'request.failed', ...request }
  const internal = { ...failed, status: 500, code: 'internal_error', message: expect.any(String) }
  expect(lines).toEqual([
    {
      ...failed,
      status: 503,
      code: 'out_of_memory',
      message: expect.any(String),
      cause: expect.stringMatching(/--memory.*--batch-tokens.*4096/),
    },
    { ...internal, stack: expect.stringContaining('secret') },
    { ...internal, stack: expect.stringMatching(/secret[^]*errors\.test\.ts[^]*the deeper one/) },
    { ...internal, stack: expect.stringContaining('thrown') },
  ])
})

test('of what a caller did wrong the log says nothing', () => {
  const log = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => log.mockRestore())
  expect(publicError(new EngineError('context_lost', 'gone'), request).status).toBe(409)
  expect(publicError(new ProtocolError(429, 'overloaded', 'too much'), request).status).toBe(429)
  expect(log).not.toHaveBeenCalled()
})
