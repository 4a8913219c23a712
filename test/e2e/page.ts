/** The playground in a tab, as a person finds their way about it. */
import type { Tab } from './devtools.ts'

export const textOf = (tab: Tab, selector: string) =>
  tab.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)

/** Puts the cursor into the question, and this text in place of what is there. */
export async function write(tab: Tab, words: string): Promise<void> {
  await tab.until(`document.querySelector('textarea')`)
  await tab.evaluate(`document.querySelector('textarea').select()`)
  await tab.type(words)
}

export async function reload(tab: Tab): Promise<void> {
  await tab.evaluate('window.isOld = true')
  await tab.send('Page.reload')
  await tab.until('!window.isOld')
}

/** Clicks what has a label, or a button, whose words begin so. */
export const choose = (tab: Tab, words: string) =>
  tab.evaluate(
    `[...document.querySelectorAll('label, button')].find((one) => one.innerText.startsWith(${JSON.stringify(words)})).click()`,
  )

/** Gives the page a file with a recorded run. */
export async function load(tab: Tab, file: string): Promise<void> {
  await tab.until(`document.querySelector('input[type=file]')`)
  const { root } = (await tab.send('DOM.getDocument')) as { root: { nodeId: number } }
  const found = await tab.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'input[type=file]' })
  await tab.send('DOM.setFileInputFiles', { files: [file], nodeId: found.nodeId })
}
