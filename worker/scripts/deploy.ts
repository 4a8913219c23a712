/** `npm run deploy -- [--env NAME] [wrangler's flags]`: wrangler's deploy, with a warning of what would not work once it is up. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { warningsOf } from './warnings.ts'

const config = fileURLToPath(new URL('../../wrangler.toml', import.meta.url))
const flags = process.argv.slice(2)
const { values } = parseArgs({ args: flags, options: { env: { type: 'string', short: 'e' } }, strict: false })
const env = typeof values.env === 'string' ? values.env : undefined

const { vars } = unstable_readConfig({ config, ...(env === undefined ? {} : { env }) })
for (const warning of warningsOf(vars)) console.warn(`deploy: ${env === undefined ? '' : `env.${env}: `}${warning}`)

const wrangler = fileURLToPath(new URL('bin/wrangler.js', import.meta.resolve('wrangler/package.json')))
// Without --env wrangler asks which is meant, unless it is told that none is.
const chosen = env === undefined ? ['--env='] : []
const { status } = spawnSync(process.execPath, [wrangler, 'deploy', '--config', config, ...chosen, ...flags], {
  stdio: 'inherit',
  // Where the configuration's own paths begin.
  cwd: path.dirname(config),
})
process.exitCode = status ?? 1
