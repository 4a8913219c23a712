/** The examples that the SDK comes with, run as their first lines say. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { context } from 'esbuild'
import type { BuildOptions } from 'esbuild'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { backendHealth, problems } from './ask.ts'
import { chromium } from './browser.ts'
import { inTab } from './devtools.ts'
import type { Tab } from './devtools.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const env = {
  ...process.env,
  LOOKAHEAD_URL: inject('workerURL'),
  NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
}
const { question, answer } = problems[0]!

it.each([
  ['node.ts', /^(kept|corrected) +\S/m, /\d+ of \d+ drafted steps kept/],
  ['openai.ts', /./, /^\d+ tokens/m],
  ['ai-sdk.ts', /./, /^\d+ tokens/m],
])('%s', async (file, ...said) => {
  const command = [`sdk/examples/${file}`, question]
  const { stdout } = await run(process.execPath, command, { cwd: root, env })
  expect(stdout).toContain(`\\boxed{${answer}}`)
  for (const text of said) expect(stdout).toMatch(text)
})

/** The folder's address. */
async function serve(servedir: string, options: BuildOptions = {}): Promise<string> {
  const server = await context(options)
  onTestFinished(() => server.dispose())
  const { port } = await server.serve({ servedir, host: '127.0.0.1' })
  return `http://127.0.0.1:${port}`
}

/** As it stands in a repository whose SDK is built. */
async function browserPage(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-example-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(path.join(folder, 'sdk'))
  for (const name of ['node_modules', 'sdk/examples']) symlinkSync(path.join(root, name), path.join(folder, name))
  const build = ['-p', 'sdk/tsconfig.build.json', '--outDir', path.join(folder, 'sdk/dist')]
  await run(path.join(root, 'node_modules/.bin/tsc'), build, { cwd: root })
  return `${await serve(folder)}/sdk/examples/browser/`
}

async function reactPage(): Promise<string> {
  const folder = path.join(root, 'sdk/examples/react')
  const entryPoints = [path.join(folder, 'page.tsx')]
  const outdir = path.join(folder, 'dist')
  return `${await serve(folder, { entryPoints, bundle: true, format: 'esm', jsx: 'automatic', outdir })}/`
}

const status = `document.querySelector('[role=status]')?.textContent`
const click = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).click()`

/** Notes what the page asks, and every class that a step has. */
const watch = `
  window.requests = 0
  window.classes = new Set()
  const { fetch } = window
  window.fetch = (...call) => (String(call[0]).includes('/v1/runs') && requests++, fetch(...call))
  new MutationObserver(() => { for (const { className } of document.querySelectorAll('li')) classes.add(className) })
    .observe(document, { subtree: true, childList: true, attributes: true })`

describe.skipIf(!chromium).each([
  ['browser/index.html', browserPage],
  ['react/index.html', reactPage],
])('%s in Chromium', (_, open) => {
  const opened = async (signal: AbortSignal, use: (tab: Tab) => Promise<void>) => {
    const see = async (tab: Tab) => {
      await tab.until(`${status} === 'idle'`)
      await tab.evaluate(`{${watch}}`)
      await use(tab)
      expect(tab.complaints.filter((text) => text.includes('exceptionDetails'))).toEqual([])
    }
    await inTab(`${await open()}?worker=${encodeURIComponent(inject('workerURL'))}`, see, { signal })
  }

  it('asks once, shows steps as they are drafted and accepted, then the answer', ({ signal }) =>
    opened(signal, async (tab) => {
      await tab.evaluate(`document.querySelector('textarea').select()`)
      await tab.type(question)
      await tab.evaluate(click('button'))
      await tab.until(`!/idle|running/.test(${status})`)
      expect(await tab.evaluate(status)).toBe('completed')
      expect(await tab.evaluate('requests')).toBe(1)
      expect(await tab.evaluate('[...classes]')).toEqual(expect.arrayContaining(['drafted', 'accepted']))
      expect(await tab.evaluate(`[...document.querySelectorAll('li')].map((li) => li.className)`)).not.toContain(
        'drafted',
      )
      expect(await tab.evaluate(`document.querySelector('output').textContent`)).toContain(`\\boxed{${answer}}`)
    }))

  it('stops the run on the GPU, and says so', ({ signal }) =>
    opened(signal, async (tab) => {
      await tab.evaluate(click('button'))
      await tab.until(`document.querySelector('li')`)
      await tab.evaluate(click('button[type=button]'))
      await tab.until(`${status} !== 'running'`)
      expect(await tab.evaluate(status)).toBe('stopped')
      await expect.poll(async () => (await backendHealth()).running).toBe(0)
    }))

  it('says what went wrong', ({ signal }) =>
    opened(signal, async (tab) => {
      await tab.evaluate(`document.querySelector('textarea').select()`)
      await tab.type('long '.repeat(8000))
      await tab.evaluate(click('button'))
      await tab.until(`${status} === 'failed'`)
      expect(await tab.evaluate(`document.querySelector('output').textContent`)).toContain('context')
    }))
})
