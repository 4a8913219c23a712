/** Recorded runs at the worker's `/`: replayed, saved, and played by the simulator. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { isTerminal } from '@lookahead/sdk/protocol'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { chromium } from './browser.ts'
import { inTab } from './devtools.ts'
import type { Tab } from './devtools.ts'
import { choose, load, textOf } from './page.ts'

const page = `${inject('workerURL')}/`
const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Run {
  request: RunRequestInput
  events: readonly RunEvent[]
}

const recorded = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../worker/test/recorded/${name}.json`, import.meta.url), 'utf8')) as Run

/** A file as the page saves them, an event every 10 ms. */
function fileOf(name: string, { request, events }: Run): string {
  const file = path.join(folder, name)
  const lines = [{ type: 'run.requested', at: 0, request }, ...events.map((event, i) => ({ ...event, at: i * 10 }))]
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return file
}

describe.skipIf(!chromium)('a recorded run in Chromium', () => {
  it('is replayed from a file, and what is none is told', async ({ signal }) => {
    const run = recorded('corrected')
    const bad = path.join(folder, 'bad.jsonl')
    writeFileSync(bad, '{"type": "nothing"}')
    const see = async (tab: Tab) => {
      await load(tab, bad)
      await tab.until(`/Line 1/.test(document.querySelector('[role=alert]')?.innerText)`)
      await load(tab, fileOf('good.jsonl', run))
      await tab.until(`document.querySelector('.what-if')`)
      const corrected = run.events.filter(({ type }) => type === 'step.corrected').length
      expect(await textOf(tab, '.chain')).toMatch(/Draft said[^]*Target said/)
      expect(await tab.evaluate(`document.querySelectorAll('.chain .corrected').length`)).toBe(corrected)
      await choose(tab, 'curl')
      expect(await textOf(tab, 'pre')).toContain('/v1/runs')
    }
    await inTab(page, see, { signal })
  })

  it('tells of a judge how sure it was, and what the target would have said', async ({ signal }) => {
    const { request, events } = recorded('corrected')
    const judged: RunEvent[] = [
      { type: 'run.started', run_id: 'r', mode: 'lr', depth: 2, verifier: 'judge' },
      { type: 'step.drafted', step: 0, text: 'Half of 8 is 4.\n\n' },
      { type: 'step.drafted', step: 1, text: 'So 3 are red.\n\n' },
      {
        type: 'step.accepted',
        step: 0,
        text: 'Half of 8 is 4.\n\n',
        reason: 'judge',
        probability: 0.97,
        target: '8/2=4.\n\n',
      },
      { type: 'step.rejected', step: 1, text: 'So 3 are red.\n\n', reason: 'judge', probability: 0.12 },
      { type: 'step.corrected', step: 1, text: 'So 4 are red.\n\n' },
      events.at(-1)!,
    ]
    const see = async (tab: Tab) => {
      await load(tab, fileOf('judged.jsonl', { request, events: judged }))
      await tab.until(`document.querySelector('.chain .corrected')`)
      const accepted = await textOf(tab, '.chain .accepted')
      expect(accepted).toMatch(/^Draft accepted: the judge takes both to mean the same \(97 %\)/)
      expect(accepted).toMatch(/Half of 8 is 4\.\s+Target would have said\s+8\/2=4\./)
      const corrected = await textOf(tab, '.chain .corrected')
      expect(corrected).toMatch(/^Target corrected the draft: the judge does not take both to mean the same \(12 %\)/)
      expect(corrected).toMatch(/Draft said\s+So 3 are red\.\s+Target said\s+So 4 are red\./)
    }
    await inTab(page, see, { signal })
  })

  it('that failed fails once, also when it is saved again', async ({ signal }) => {
    const run = recorded('failed')
    const file = fileOf('failed.jsonl', run)
    const see = async (tab: Tab) => {
      await tab.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder })
      await load(tab, file)
      await tab.until(`document.querySelector('.outcome > [role=alert]')`)
      expect(await textOf(tab, '.outcome > [role=alert]')).toContain('target_unavailable')
      await choose(tab, 'Save run')
      const saved = path.join(folder, 'lookahead-run.jsonl')
      await expect.poll(() => existsSync(saved)).toBe(true)
      expect(readFileSync(saved, 'utf8')).toBe(readFileSync(file, 'utf8'))
    }
    expect(isTerminal(run.events.at(-1)!)).toBe(true)
    await inTab(page, see, { signal })
  })

  it('is played with other rates, by keyboard: fewer steps accepted, dearer drafts, other depths', async ({
    signal,
  }) => {
    const see = async (tab: Tab) => {
      await load(tab, fileOf('again.jsonl', recorded('corrected')))
      await tab.until(`document.querySelector('.what-if')`)
      const slider = (label: string) =>
        `[...document.querySelectorAll('.what-if .field')].find((one) => one.innerText.startsWith(${JSON.stringify(label)}))`
      const predicted = async () => parseFloat(await textOf(tab, '.prediction b'))
      const before = await predicted()
      const move = async (label: string, keys: string[], shown: string) => {
        await tab.evaluate(`${slider(label)}.querySelector('input').focus()`)
        for (const key of keys) await tab.press(key)
        await tab.until(`${slider(label)}.querySelector('output').innerText === ${JSON.stringify(shown)}`)
        const time = await predicted()
        await choose(tab, 'As recorded')
        await tab.until(`parseFloat(document.querySelector('.prediction b').innerText) === ${before}`)
        return time
      }
      expect(await move('Steps accepted', ['End'], '100 %')).toBeLessThan(before)
      expect(await move('Draft token’s cost', ['End'], '1.00')).toBeGreaterThan(before)
      expect(await move('Depth', ['ArrowDown', 'ArrowDown'], '0 steps ahead')).toBeGreaterThan(before)
      expect(await move('Depth', ['End'], '16 steps ahead')).not.toBe(before)
    }
    await inTab(page, see, { signal })
  })
})
