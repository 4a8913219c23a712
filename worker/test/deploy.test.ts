/** What `wrangler deploy` would send to Cloudflare. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'

const script = path.join(import.meta.dirname, '../scripts/deploy.ts')
const MOST_BYTES = 150 * 1024

/** Whatever it would fetch, it would fail. */
const offline = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', CI: '1' }
const quiet = { WRANGLER_SEND_METRICS: 'false', WRANGLER_WRITE_LOGS: 'false', WRANGLER_HIDE_BANNER: 'true' }

async function dryRun(...flags: string[]): Promise<{ bundle: Buffer; stdout: string; stderr: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-deploy-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [script, '--dry-run', '--outdir', folder, ...flags],
    { env: { ...process.env, ...offline, ...quiet } },
  )
  return { bundle: await readFile(path.join(folder, 'index.js')), stdout, stderr }
}

test('is small, needs no network to be made, and has its bindings', async () => {
  const { bundle, stdout, stderr } = await dryRun('--env', 'production')
  expect(gzipSync(bundle).length).toBeLessThan(MOST_BYTES)
  for (const binding of ['RUN_COUNTER', 'RATE_LIMIT', 'BACKEND_URL', 'MAX_RUNS', 'CORS_ORIGINS'])
    expect(stdout).toContain(`env.${binding} `)
  expect(stderr).toContain('env.production: BACKEND_URL is https://gpu.example.com, which is only an example')
})

test('is warned of where its backend is still on this machine', async () => {
  const { stderr } = await dryRun()
  expect(stderr).toMatch(/deploy: BACKEND_URL is http:\/\/127\.0\.0\.1:8600, which is this machine.*docs\/deploy\.md/)
})
