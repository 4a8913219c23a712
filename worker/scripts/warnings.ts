/** What would not work of a worker's variables once it is deployed: secrets and bindings are not seen. */
export type Vars = Readonly<Record<string, unknown>>

/** Of each engine, the addresses it is found by; `leftOut` says what becomes of runs without one. */
const addresses: Record<string, { setting: string; model?: string; leftOut?: string }[]> = {
  native: [{ setting: 'BACKEND_URL', leftOut: 'no run will reach a backend' }],
  openai: [
    { setting: 'TARGET_URL', model: 'TARGET_MODEL', leftOut: 'no run will reach a target' },
    {
      setting: 'DRAFT_URL',
      model: 'DRAFT_MODEL',
      leftOut: 'the target writes alone, no faster than without Lookahead',
    },
    { setting: 'JUDGE_URL', model: 'JUDGE_MODEL' },
  ],
}

export function* warningsOf(vars: Vars): Generator<string> {
  const engine = wordOf(vars, 'ENGINE') || 'native'
  const known = addresses[engine]
  if (!known) yield `ENGINE is ${engine}: there are ${Object.keys(addresses).join(' and ')}`
  for (const { setting, model, leftOut } of known ?? []) {
    const urls = wordOf(vars, setting)
      .split(/[\s,]+/)
      .filter(Boolean)
    if (urls.length === 0 && leftOut !== undefined) yield `${setting} is left out: ${leftOut}`
    for (const url of urls) {
      const wrong = wrongWith(url)
      if (wrong !== undefined) yield `${setting} ${wrong}`
    }
    if (urls.length > 0 && model !== undefined && !wordOf(vars, model)) yield `${model} is left out: runs will fail`
  }
}

function wordOf(vars: Vars, name: string): string {
  const value = vars[name]
  return typeof value === 'string' ? value.trim() : ''
}

function wrongWith(url: string): string | undefined {
  if (!URL.canParse(url)) return 'is no address: no run will reach it'
  const { hostname, protocol } = new URL(url)
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1?\]|0\.0\.0\.0|.*\.localhost)$/.test(hostname))
    return `is ${url}, which is this machine: a deployed worker reaches only what the internet does (docs/deploy.md)`
  if (/(^|\.)example\.(com|org|net)$/.test(hostname)) return `is ${url}, which is only an example`
  if (protocol === 'http:') return `is ${url}: without TLS its token and all texts can be read on the way`
  return undefined
}
