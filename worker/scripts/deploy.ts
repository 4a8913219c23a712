/** `npm run deploy -- [--env NAME] [wrangler's flags]`: wrangler's deploy, with a warning of what would not work once it is up. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { unstable_readConfig } from 'wrangler'

const config = fileURLToPath(new URL('../../wrangler.toml', import.meta.url))
const flags = process.argv.slice(2)
const { values } = parseArgs({ args: flags, options: { env: { type: 'string', short: 'e' } }, strict: false })
const env = typeof values.env === 'string' ? values.env : undefined

const { vars } = unstable_readConfig({ config, ...(env === undefined ? {} : { env }) })
for (const url of String(vars.BACKEND_URL ?? '').split(/[\s,]+/)) {
  const warning = backendWarning(url)
  if (warning) console.warn(`deploy: ${env === undefined ? '' : `env.${env}: `}BACKEND_URL ${warning}`)
}

const wrangler = fileURLToPath(new URL('bin/wrangler.js', import.meta.resolve('wrangler/package.json')))
// Without --env wrangler asks which is meant, unless it is told that none is.
const chosen = env === undefined ? ['--env='] : []
const { status } = spawnSync(process.execPath, [wrangler, 'deploy', '--config', config, ...chosen, ...flags], {
  stdio: 'inherit',
  // Where the configuration's own paths begin.
  cwd: path.dirname(config),
})
process.exitCode = status ?? 1

function backendWarning(url: string): string | undefined {
  if (!URL.canParse(url)) return 'is no address: no run will reach a backend'
  const { hostname, protocol } = new URL(url)
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1?\]|0\.0\.0\.0|.*\.localhost)$/.test(hostname))
    return `is ${url}, which is this machine: a deployed worker reaches only what the internet does (docs/deploy.md)`
  if (/(^|\.)example\.(com|org|net)$/.test(hostname)) return `is ${url}, which is only an example`
  if (protocol === 'http:') return `is ${url}: without TLS its token and all texts can be read on the way`
  return undefined
}
