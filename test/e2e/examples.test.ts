/** The examples that the SDK comes with, run as their first lines say. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'
import { problems } from './ask.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const env = {
  ...process.env,
  LOOKAHEAD_URL: inject('workerURL'),
  NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
}
const { question, answer } = problems[0]!

// The page in `react/` is run in `browser.test.ts`.
it.each([
  ['node.ts', /^(kept|corrected) +\S/m, /\d+ of \d+ drafted steps kept/],
  ['openai.ts', /./, /^\d+ tokens/m],
  ['ai-sdk.ts', /./, /^\d+ tokens/m],
])('%s', async (file, ...said) => {
  const command = [`sdk/examples/${file}`, question]
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root, env })
  expect(stdout).toContain(`\\boxed{${answer}}`)
  for (const text of said) expect(stdout).toMatch(text)
})
