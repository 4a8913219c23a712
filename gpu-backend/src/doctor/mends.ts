/** What to do about the states that backends and other engines are in, by the settings of the engine in use. */

/** Whatever the engine. */
const common = {
  not_configured: "the worker's log names the setting: `npx wrangler tail`",
  loading: 'wait until the models are loaded',
  draining: 'it was asked to stop: start it again',
  failing: "the target's forwards fail: the backend's log says why",
}

const reached = (setting: string, who: string): string =>
  `look at ${setting}: it must be an address that the worker reaches, which localhost is only for one on ${who} machine`

const own: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  native: {
    unauthorized: 'set the secret BACKEND_TOKEN of the worker to a --token of the backend',
    unreachable: `${reached('BACKEND_URL', "the backend's")}; and run this command with the backend's address`,
  },
  openai: server('target'),
  draft: server('draft'),
  judge: server('judge'),
}

function server(role: string): Readonly<Record<string, string>> {
  const name = role.toUpperCase()
  return {
    unauthorized: `set the secret ${name}_API_KEY of the worker to a key that the ${role} takes`,
    unreachable: `${reached(`${name}_URL`, `the ${role}'s`)}; and ask that address for /v1/models`,
  }
}

/** @param settings of an engine, as the worker says (workers that say none are older, and have our own), or of a helper of other engines */
export function mendOf(state: string, settings = 'native'): string {
  const mends = new Map(Object.entries({ ...common, ...own[settings] }))
  return mends.get(state) ?? 'look at its log'
}
