import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const CORE_BYTES = 8 * 1024
const WHOLE_BYTES = 9.5 * 1024

/** What is loaded with the first call that needs it, and not with the package. */
const later = ['./calls.ts', './stored-events.ts']

it.each([
  ['with all that streams a run', CORE_BYTES, later],
  ['where everything is in one file', WHOLE_BYTES, []],
])(
  'fits its budget with all dependencies, minified and gzipped, %s, and needs nothing of Node',
  async (_, most, external) => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      external,
      write: false,
    })
    const [{ contents, text }] = outputFiles as [(typeof outputFiles)[0]]
    expect(gzipSync(contents, { level: 9 }).length).toBeLessThanOrEqual(most)
    for (const path of external) expect(text).toContain(`import("${path}")`)
    expect(text).not.toMatch(/(from|import)"\./)
  },
)
