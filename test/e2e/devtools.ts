/** Drives Chromium as a person would: keys, clicks, files; by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol). */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium } from './browser.ts'

export interface Tab {
  /** The value of an expression in the page; of a promise, what it resolves with. @throws what it throws */
  evaluate<T>(expression: string): Promise<T>
  /** Resolves once an expression in the page is true. */
  until(expression: string): Promise<void>
  /** Presses and releases a key, such as `Enter` or `Tab`. */
  press(key: string): Promise<void>
  type(text: string): Promise<void>
  send(method: string, params?: object): Promise<Record<string, unknown>>
  /** What the page has said on its console or thrown, and what its policy has blocked. */
  readonly complaints: readonly string[]
}

export interface TabOptions {
  width?: number
  height?: number
  scheme?: 'light' | 'dark'
  signal?: AbortSignal
}

const keyCodes: Record<string, number> = {
  Enter: 13,
  Tab: 9,
  Escape: 27,
  ArrowRight: 39,
  ArrowDown: 40,
  ArrowUp: 38,
  End: 35,
  ' ': 32,
}

/** Opens a page in a browser of its own, which is closed when `use` has ended. */
export async function inTab<T>(url: string, use: (tab: Tab) => Promise<T>, options: TabOptions = {}): Promise<T> {
  const { width = 1280, height = 900, scheme = 'light', signal } = options
  const profile = mkdtempSync(path.join(tmpdir(), 'lookahead-browser-'))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`]
  const browser = spawn(chromium!, [...flags, '--remote-debugging-port=0', 'about:blank'], { stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => browser.once('exit', () => resolve()))
  const abort = () => browser.kill('SIGKILL')
  signal?.addEventListener('abort', abort)
  try {
    const port = await portOf(profile, gone)
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
      type: string
      webSocketDebuggerUrl: string
    }[]
    const tab = await connect(targets.find(({ type }) => type === 'page')!.webSocketDebuggerUrl, gone)
    await tab.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
    await tab.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
    await tab.send('Page.navigate', { url })
    await tab.until(`location.href.startsWith(${JSON.stringify(url)}) && document.readyState === 'complete'`)
    return await use(tab)
  } finally {
    signal?.removeEventListener('abort', abort)
    browser.kill('SIGKILL')
    await gone
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function portOf(profile: string, gone: Promise<void>): Promise<string> {
  const file = path.join(profile, 'DevToolsActivePort')
  let ended = false
  void gone.then(() => (ended = true))
  for (;;) {
    const port = existsSync(file) && readFileSync(file, 'utf8').split('\n')[0]
    if (port) return port
    if (ended) throw new Error('the browser ended before it could be used')
    await pause()
  }
}

async function connect(address: string, gone: Promise<void>): Promise<Tab> {
  const socket = new WebSocket(address)
  const waiting = new Map<
    number,
    { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }
  >()
  const complaints: string[] = []
  let count = 0
  const opened = Promise.withResolvers<void>()
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('error', () => opened.reject(new Error('the browser cannot be reached')))
  let isOver = false
  const end = () => {
    isOver = true
    for (const { reject } of waiting.values()) reject(new Error('the browser has ended'))
  }
  void gone.then(end)
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error, method, params } = JSON.parse(String(data)) as Message
    if (id !== undefined) {
      if (error) waiting.get(id)?.reject(new Error(error.message))
      else waiting.get(id)?.resolve(result ?? {})
      waiting.delete(id)
    } else if (method && /exceptionThrown|consoleAPICalled|entryAdded/.test(method)) {
      complaints.push(JSON.stringify(params))
    }
  })
  await opened.promise

  const send = (method: string, params: object = {}) => {
    if (isOver) return Promise.reject(new Error('the browser has ended'))
    const answer = Promise.withResolvers<Record<string, unknown>>()
    waiting.set(++count, answer)
    socket.send(JSON.stringify({ id: count, method, params }))
    return answer.promise
  }
  const evaluate = async <T>(expression: string): Promise<T> => {
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true }
    const { result, exceptionDetails } = (await send('Runtime.evaluate', options)) as unknown as Evaluated
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value as T
  }
  const press = async (key: string) => {
    const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined
    const event = { key, code: key, windowsVirtualKeyCode: keyCodes[key], ...(text && { text }) }
    await send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...event })
    await send('Input.dispatchKeyEvent', { type: 'keyUp', ...event })
  }
  for (const domain of ['Runtime', 'Log', 'Page', 'DOM']) await send(`${domain}.enable`)
  return {
    evaluate,
    until: async (expression) => {
      // Where the page is just being left, there is nothing to ask.
      while (!(await evaluate(`Boolean(${expression})`).catch(() => false))) {
        if (isOver) throw new Error(`the browser ended before this was so: ${expression}`)
        await pause()
      }
    },
    press,
    type: async (text) => void (await send('Input.insertText', { text })),
    send,
    complaints,
  }
}

interface Message {
  id?: number
  result?: Record<string, unknown>
  error?: { message: string }
  method?: string
  params?: object
}

interface Evaluated {
  result: { value?: unknown }
  exceptionDetails?: { text: string; exception?: { description?: string } }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20))
