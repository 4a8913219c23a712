import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { build } from 'esbuild'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A Chromium on this machine: `$CHROMIUM`, else the first one on the path. */
export const chromium = [
  process.env.CHROMIUM,
  ...(process.env.PATH ?? '').split(path.delimiter).flatMap((folder) => NAMES.map((name) => path.join(folder, name))),
].find((file) => file !== undefined && isExecutable(file))

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const page = '<!doctype html><title>Lookahead</title><script type="module" src="/main.js"></script>'

/**
 * Runs a module in a real browser, on a page of its own origin, and returns what it passes to `report(value)`.
 * @param script TypeScript; may import the SDK
 * @param whileOpen what to do with the value before the page is closed
 */
export async function inBrowser(
  script: string,
  signal: AbortSignal,
  whileOpen: (value: unknown) => Promise<void> = async () => {},
): Promise<unknown> {
  const { outputFiles } = await build({
    stdin: { contents: `${REPORT}\n${script}`, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  const reported = Promise.withResolvers<unknown>()
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      json(request).then(reported.resolve, reported.reject)
      response.writeHead(204).end()
    } else if (request.url === '/main.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(outputFiles[0]!.text)
    } else {
      response.writeHead(200, { 'content-type': 'text/html' }).end(page)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const profile = mkdtempSync(path.join(tmpdir(), 'lookahead-browser-'))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`]
  const browser = spawn(chromium!, [...flags, url], { stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => browser.once('exit', () => resolve()))
  void gone.then(() => reported.reject(new Error('the browser ended before it reported')))
  signal.addEventListener('abort', () => reported.reject(signal.reason as Error))
  browser.once('error', reported.reject)
  try {
    const value = await reported.promise
    await whileOpen(value)
    return value
  } finally {
    browser.kill('SIGKILL')
    await gone
    server.closeAllConnections()
    server.close()
    // Its helper processes may still be writing.
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

const REPORT = `
const report = (value: unknown) => fetch('/', { method: 'POST', body: JSON.stringify(value) })
addEventListener('error', (event) => report({ error: event.message }))
addEventListener('unhandledrejection', (event) => report({ error: String(event.reason) }))
`
