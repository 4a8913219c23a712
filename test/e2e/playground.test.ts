/** The page at the worker's `/`, used as people use it. */
import { gzipSync } from 'node:zlib'
import { verifiers } from '@lookahead/sdk/protocol'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { context, fakeBackend } from '../../worker/test/fake-backend.ts'
import type { Reply } from '../../worker/test/fake-backend.ts'
import { startWorker } from '../launcher/index.ts'
import { backendHealth, problems } from './ask.ts'
import { chromium } from './browser.ts'
import { inTab } from './devtools.ts'
import type { Tab } from './devtools.ts'
import { choose, reload, textOf, write } from './page.ts'

const page = `${inject('workerURL')}/`
const { question, answer } = problems[0]!

const isDone = `document.querySelector('[aria-label=Result]')?.getAttribute('aria-busy') === 'false'`

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
      expect(await textOf(tab, '.answer')).toContain(answer)
      const links = await tab.evaluate<string[]>(
        `[...document.querySelectorAll('.chain li')].map((li) => li.innerText)`,
      )
      expect(links.length).toBeGreaterThan(4)
      for (const link of links) expect(link).toMatch(/^(Draft accepted: \S|Target (corrected|its own|wrote))/)
      expect(await textOf(tab, '.figures')).toMatch(
        /tokens\/s\s+\d+[^]*steps accepted\s+\d+ %[^]*plain decoding\s+\d+\.\d+×/,
      )
      expect(await textOf(tab, '[aria-label="Plain decoding"]')).toContain('wrote this by itself')
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
      expect(await textOf(tab, '[role=alert]')).toMatch(/context_length_exceeded · request \S+/)
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
      expect(await textOf(tab, '.answer')).toContain(answer)
      const shown = async () => [
        await tab.evaluate(`document.querySelector('textarea').value`),
        await tab.evaluate(
          `[...document.querySelectorAll(':checked')].map((one) => (one.labels?.[0] ?? one).innerText)`,
        ),
        await textOf(tab, '.results'),
      ]
      const before = await shown()
      expect(before[0]).toBe(question)
      expect(before[1]).toContainEqual(expect.stringMatching(/^lr\+sd/))
      const took = parseFloat(/time\s+(\S+) s/.exec(await textOf(tab, '.figures'))![1]!)
      await reload(tab)
      await tab.until(isOver)
      expect(await shown()).toEqual(before)
      // As long as it was, not as long ago as it was asked.
      expect(parseFloat(/time\s+(\S+) s/.exec(await textOf(tab, '.figures'))![1]!)).toBeLessThanOrEqual(took)
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
      expect(await textOf(tab, '.timeline')).toContain('running')
      expect(fake.left).toBe(0)
      await tab.evaluate(`[...document.querySelectorAll('button')].find((one) => one.innerText === 'Stop').click()`)
      await tab.until(`/Stopped/.test(document.querySelector('.results')?.innerText)`)
      await expect.poll(() => fake.left).toBe(1)
      await reload(tab)
      await tab.until(`/A thought[^]*Stopped/.test(document.querySelector('.results')?.innerText)`)
      expect(await textOf(tab, '[role=alert]')).toBe('')
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
      expect(await textOf(tab, '[role=alert]')).toContain('API key')
      await tab.type('open-sesame')
      await tab.evaluate(`document.querySelector('textarea').focus()`)
      await tab.press('Enter')
      await tab.until(isDone)
      expect(await textOf(tab, '.answer')).toContain(answer)
      for (const language of ['SDK', 'openai', 'curl']) {
        await choose(tab, language)
        expect(await textOf(tab, 'pre')).toContain('API_KEY')
        expect(await textOf(tab, 'pre')).not.toContain('open-sesame')
      }
    }
    await inTab(`${worker.url}/`, see, { signal })
  })

  it('offers every verifier, and says what each does', async ({ signal }) => {
    const see = async (tab: Tab) => {
      await tab.until(`document.querySelector('select')`)
      const choice = `[...document.querySelectorAll('label')].find((one) => /^Verifier/.test(one.innerText))`
      const names = await tab.evaluate<string[]>(`[...${choice}.querySelectorAll('option')].map(({ value }) => value)`)
      expect(names.toSorted()).toEqual(verifiers.toSorted())
      for (const name of names) {
        await tab.evaluate(`{
          const select = ${choice}.querySelector('select')
          select.value = ${JSON.stringify(name)}
          select.dispatchEvent(new Event('change', { bubbles: true }))
        }`)
        const words = `${choice}.querySelector('.hint').innerText`
        await tab.until(`${choice}.querySelector('select').value === ${JSON.stringify(name)} && ${words}`)
        if (name !== 'likelihood') expect(await textOf(tab, 'pre')).toContain(`verifier: '${name}'`)
      }
    }
    await inTab(page, see, { signal })
  })

  it('copies the request as code, in each language', async ({ signal }) => {
    const see = async (tab: Tab) => {
      await tab.send('Browser.grantPermissions', { permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'] })
      await tab.send('Emulation.setFocusEmulationEnabled', { enabled: true })
      await tab.until(`document.querySelector('pre')`)
      for (const [language, words] of [
        ['SDK', '@lookahead/sdk'],
        ['openai', 'new OpenAI('],
        ['curl', 'curl -N'],
      ] as const) {
        await choose(tab, language)
        const code = await textOf(tab, 'pre')
        expect(code).toContain(words)
        await tab.evaluate(
          `document.querySelector('pre').closest('section, details, .panel').querySelector('button').click()`,
        )
        await expect.poll(() => tab.evaluate('navigator.clipboard.readText()')).toBe(code)
      }
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
