import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cudaLibraryPath } from '../src/onnxruntime/index.ts'

const program = path.join(import.meta.dirname, '../bin/lookahead.js')
const here = process.platform === 'linux' && process.arch === 'x64' && !existsSync(cudaLibraryPath())

test.runIf(here)('install-cuda asks for the CUDA libraries, though .npmrc keeps npm ci from it', async () => {
  const asked: string[] = []
  const proxy = createServer().on('connect', ({ url }, socket) => {
    asked.push(url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  // What npm run makes of .npmrc, and where onnxruntime-node's script looks for a proxy.
  const env = { ...process.env, npm_config_onnxruntime_node_install: 'skip', GLOBAL_AGENT_HTTP_PROXY: address }
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
    execFile(process.execPath, [program, 'install-cuda'], { env }, (error, _, text) =>
      resolve({ code: error?.code, stderr: text }),
    ),
  )
  proxy.close()
  expect(asked).toContain('api.nuget.org:443')
  expect(code).toBe(1)
  expect(stderr).toContain('could not be fetched')
})
