/** The page at the worker's `/`, used as people use it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { context, fakeBackend } from '../../worker/test/fake-backend.ts'
import type { Reply } from '../../worker/test/fake-backend.ts'
import { startWorker } from '../launcher/index.ts'
import { backendHealth, problems } from './ask.ts'
import { chromium } from './browser.ts'
import { inTab } from './devtools.ts'
import type { Tab } from './devtools.ts'

const page = `${inject('workerURL')}/`
const { question, answer } = problems[0]!

const text = (tab: Tab, selector: string) =>
  tab.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)
const isDone = `document.querySelector('[aria-label=Result]')?.getAttribute('aria-busy') === 'false'`

/** Puts the cursor into the question, and this text in place of what is there. */
async function write(tab: Tab, words: string): Promise<void> {
  await tab.until(`document.querySelector('textarea')`)
  await tab.evaluate(`document.querySelector('textarea').select()`)
  await tab.type(words)
}

async function reload(tab: Tab): Promise<void> {
  await tab.evaluate('window.isOld = true')
  await tab.send('Page.reload')
  await tab.until('!window.isOld')
}

const choose = (tab: Tab, label: string) =>
  tab.evaluate(
    `[...document.querySelectorAll('label')].find((label) => label.innerText.startsWith(${JSON.stringify(label)})).click()`,
  )

it('is one page of at most 60 KB gzipped, that nobody else may frame, and that loads nothing', async () => {
  const response = await fetch(page)
  expect(response.headers.get('content-type')).toMatch(/^text\/html/)
  const policy = response.headers.get('content-security-policy')!
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  const html = await response.text()
  expect(html).not.toMatch(/(src|href)="(?!data:,)/)
  expect(gzipSync(html, { level: 9 }).length).toBeLessThanOrEqual(60 * 1024)
})

/** Asks the question with lookahead, and raced by plain decoding. */
async function race(tab: Tab): Promise<void> {
  await write(tab, question)
  await choose(tab, 'lr+sd')
  await choose(tab, 'Race')
  await tab.evaluate(`document.querySelector('textarea').focus()`)
  await tab.press('Enter')
}

describe.skipIf(!chromium)('the playground in Chromium', () => {
  it('asks by keyboard, and shows each step with its origin, the answer, figures and a timeline', async ({
    signal,
  }) => {
    const see = async (tab: Tab) => {
      await race(tab)
      await tab.until(`document.querySelector('.chain .drafted')`)
      await tab.until(`/×/.test(document.querySelector('.figures')?.innerText)`)
      expect(await text(tab, '.answer')).toContain(answer)
      const links = await tab.evaluate<string[]>(
        `[...document.querySelectorAll('.chain li')].map((li) => li.innerText)`,
      )
      expect(links.length).toBeGreaterThan(4)
      for (const link of links) expect(link).toMatch(/^(Draft accepted: \S|Target (corrected|its own|wrote))/)
      expect(await text(tab, '.figures')).toMatch(
        /tokens\/s\s+\d+[^]*steps accepted\s+\d+ %[^]*plain decoding\s+\d+\.\d+×/,
      )
      expect(await text(tab, '[aria-label="Plain decoding"]')).toContain('wrote this by itself')
      const lanes = `[...document.querySelectorAll('.outcome > .timeline i')].map((bar) => bar.className)`
      expect(await tab.evaluate<string[]>(lanes)).toEqual(expect.arrayContaining(['draft', 'target', 'plain']))
      expect(await tab.evaluate(`document.querySelector('[aria-live=polite]').textContent`)).toContain('Done.')
      expect(tab.complaints).toEqual([])
    }
    await inTab(page, see, { signal })
  })

  it('stops with Escape, on the GPU too, and says what went wrong', async ({ signal }) => {
    const see = async (tab: Tab) => {
      await write(tab, 'Count as far as you can.')
      await choose(tab, 'ar')
      await tab.evaluate(`document.querySelector('textarea').focus()`)
      await tab.press('Enter')
      await tab.until(`document.querySelector('.chain .plain')`)
      await tab.press('Escape')
      await tab.until(`/Stopped/.test(document.querySelector('.results')?.innerText)`)
      await expect.poll(async () => (await backendHealth()).running).toBe(0)
      await write(tab, 'long '.repeat(8000))
      await tab.press('Enter')
      await tab.until(`document.querySelector('[role=alert]')`)
      expect(await text(tab, '[role=alert]')).toMatch(/context_length_exceeded · request \S+/)
    }
    await inTab(page, see, { signal })
  })

  it('shows the run again after a reload, and goes on with it to its end', async ({ signal }) => {
    const see = async (tab: Tab) => {
      await race(tab)
      await tab.until(`document.querySelector('.chain li')`)
      await reload(tab)
      const isOver = `/×/.test(document.querySelector('.figures')?.innerText)`
      await tab.until(isOver)
      expect(await text(tab, '.answer')).toContain(answer)
      const shown = async () => [
        await tab.evaluate(`document.querySelector('textarea').value`),
        await tab.evaluate(`[...document.querySelectorAll(':checked')].map(({ value }) => value)`),
        await text(tab, '.results'),
      ]
      const before = await shown()
      expect(before[0]).toBe(question)
      const took = parseFloat(/time\s+(\S+) s/.exec(await text(tab, '.figures'))![1]!)
      await reload(tab)
      await tab.until(isOver)
      expect(await shown()).toEqual(before)
      // As long as it was, not as long ago as it was asked.
      expect(parseFloat(/time\s+(\S+) s/.exec(await text(tab, '.figures'))![1]!)).toBeLessThanOrEqual(took)
      expect(tab.complaints).toEqual([])
    }
    await inTab(page, see, { signal })
  })

  it('stops a run after a reload, on the GPU too', async ({ signal }) => {
    const thought: Reply = { events: [context(), { type: 'delta', text: 'A thought.' }], finally: 'hang' }
    const fake = await fakeBackend([thought], { health: { status: 200, body: '{"status":"ok"}' } })
    const worker = await startWorker({ backendURL: fake.url })
    onTestFinished(async () => {
      await worker.stop()
      await fake[Symbol.asyncDispose]()
    })
    const see = async (tab: Tab) => {
      await write(tab, question)
      await choose(tab, 'ar')
      await tab.evaluate(`document.querySelector('textarea').focus()`)
      await tab.press('Enter')
      const isThere = `/A thought/.test(document.querySelector('.chain')?.innerText)`
      await tab.until(isThere)
      await reload(tab)
      await tab.until(isThere)
      expect(await text(tab, '.timeline')).toContain('running')
      expect(fake.left).toBe(0)
      await tab.evaluate(`[...document.querySelectorAll('button')].find((one) => one.innerText === 'Stop').click()`)
      await tab.until(`/Stopped/.test(document.querySelector('.results')?.innerText)`)
      await expect.poll(() => fake.left).toBe(1)
      await reload(tab)
      await tab.until(`/A thought[^]*Stopped/.test(document.querySelector('.results')?.innerText)`)
      expect(await text(tab, '[role=alert]')).toBe('')
    }
    await inTab(`${worker.url}/`, see, { signal })
  })

  it('asks for the key where the worker does, and keeps it out of the code', async ({ signal }) => {
    const worker = await startWorker({ backendURL: inject('backendURL'), vars: { API_KEY: 'open-sesame' } })
    onTestFinished(() => worker.stop())
    const see = async (tab: Tab) => {
      await write(tab, question)
      await tab.press('Enter')
      await tab.until(`document.activeElement?.type === 'password'`)
      expect(await text(tab, '[role=alert]')).toContain('API key')
      await tab.type('open-sesame')
      await tab.evaluate(`document.querySelector('textarea').focus()`)
      await tab.press('Enter')
      await tab.until(isDone)
      expect(await text(tab, '.answer')).toContain(answer)
      for (const language of ['SDK', 'openai', 'curl']) {
        await choose(tab, language)
        expect(await text(tab, 'pre')).toContain('API_KEY')
        expect(await text(tab, 'pre')).not.toContain('open-sesame')
      }
    }
    await inTab(`${worker.url}/`, see, { signal })
  })

  it('replays a recorded run from a file, and tells what other rates would do', async ({ signal }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-run-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const recorded = new URL('../../worker/test/recorded/corrected.json', import.meta.url)
    const { request, events } = JSON.parse(readFileSync(recorded, 'utf8')) as {
      request: RunRequestInput
      events: RunEvent[]
    }
    const lines = [{ type: 'run.requested', at: 0, request }, ...events.map((event, i) => ({ at: i * 10, ...event }))]
    const [good, bad] = ['good.jsonl', 'bad.jsonl'].map((name) => path.join(folder, name)) as [string, string]
    writeFileSync(good, lines.map((line) => JSON.stringify(line)).join('\n'))
    writeFileSync(bad, '{"type": "nothing"}')

    const load = async (tab: Tab, file: string) => {
      const { root } = (await tab.send('DOM.getDocument')) as { root: { nodeId: number } }
      const found = await tab.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'input[type=file]' })
      await tab.send('DOM.setFileInputFiles', { files: [file], nodeId: found.nodeId })
    }
    const see = async (tab: Tab) => {
      await tab.until(`document.querySelector('input[type=file]')`)
      await load(tab, bad)
      await tab.until(`/Line 1/.test(document.querySelector('[role=alert]')?.innerText)`)
      await load(tab, good)
      await tab.until(`document.querySelector('.what-if')`)
      const corrected = events.filter(({ type }) => type === 'step.corrected').length
      expect(await text(tab, '.chain')).toMatch(/Draft said[^]*Target said/)
      expect(await tab.evaluate(`document.querySelectorAll('.chain .corrected').length`)).toBe(corrected)
      const before = parseFloat(await text(tab, '.prediction b'))
      await tab.evaluate(`document.querySelector('.what-if input[type=range]').focus()`)
      await tab.press('End')
      await tab.until(`document.querySelector('.what-if output').innerText.startsWith('100')`)
      expect(parseFloat(await text(tab, '.prediction b'))).toBeLessThan(before)
      await choose(tab, 'curl')
      expect(await text(tab, 'pre')).toContain('/v1/runs')
    }
    await inTab(page, see, { signal })
  })

  it.each(['light', 'dark'] as const)('can be read in %s, and all its controls have names', async (scheme) => {
    const see = async (tab: Tab) => {
      await write(tab, question)
      await choose(tab, 'lr+sd')
      await tab.evaluate(`document.querySelector('textarea').focus()`)
      await tab.press('Enter')
      await tab.until(isDone)
      expect(await tab.evaluate<string[]>(TOO_FAINT)).toEqual([])
      const { nodes } = (await tab.send('Accessibility.getFullAXTree')) as unknown as { nodes: Node[] }
      const controls = nodes.filter(({ role }) =>
        /^(button|textbox|slider|combobox|radio|checkbox)$/.test(role?.value ?? ''),
      )
      expect(controls.length).toBeGreaterThan(10)
      expect(controls.filter(({ name }) => !name?.value)).toEqual([])
      expect(await tab.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    }
    await inTab(page, see, { scheme, width: scheme === 'dark' ? 360 : 1280 })
  })
})

interface Node {
  role?: { value: string }
  name?: { value: string }
}

/** Texts whose contrast is below 4.5 (WCAG 2.2, 1.4.3), but for those of what is disabled. */
const TOO_FAINT = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor)
      if (color[3] === 255) return color
    }
    return [255, 255, 255]
  }
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
  return [...document.body.querySelectorAll('*')].filter((element) => {
    if (!hasText(element) || element.closest(':disabled, .unseen, script, style, noscript')) return false
    const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))]
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5
  }).map((element) => element.className + ': ' + element.textContent.slice(0, 40))
})()`
