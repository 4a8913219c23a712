/** Options of a run's `lookahead` as flags say them: on one level, so that results can be compared by each. */
import { parseRequest, ProtocolError, RunRequest } from '@lookahead/sdk/protocol'
import type { RunRequestInput } from '@lookahead/sdk'

export type Lookahead = Record<string, string | number | boolean>

/** Flags for options that have a short form of their own. */
export interface LookaheadFlags {
  lookahead?: Lookahead | undefined
  width?: number | undefined
  tokens?: number | undefined
  delimiters?: string | undefined
}

/** All of them, by name; `undefined` where nothing is said. */
export function lookaheadOf({ lookahead, width, tokens, delimiters }: LookaheadFlags): Lookahead | undefined {
  const said = Object.entries({ ...lookahead, width, tokens, delimiters }).filter(([, value]) => value !== undefined)
  return said.length === 0 ? undefined : (Object.fromEntries(said) as Lookahead)
}

/** As a request says them: `steps.max_tokens` is `max_tokens` of `steps`. */
export function lookaheadRequest(options: Lookahead): NonNullable<RunRequestInput['lookahead']> {
  const request: Options = {}
  // `tokens` comes before `tokens.drafted`, which says more.
  for (const [name, value] of Object.entries(options).toSorted(([a], [b]) => a.localeCompare(b)))
    for (const [path, meant] of longForm(name, value)) put(request, path.split('.'), meant)
  return request
}

/** Why a run's request may not say this of lookahead, `undefined` where it may. */
export function refused(options: Lookahead): string | undefined {
  try {
    parseRequest(RunRequest, { prompt: 'x', lookahead: lookaheadRequest(options) })
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return error.message
    throw error
  }
}

type Options = { [name: string]: unknown }

/** What a short form is short for. */
function longForm(name: string, value: Lookahead[string]): [string, unknown][] {
  if (name === 'tokens')
    return [
      ['tokens.drafted', false],
      ['tokens.ngram', value],
      ['tokens.draft', value],
    ]
  if (name !== 'delimiters') return [[name, value]]
  const listed = String(value).split(',').map(unescaped)
  return [
    ['steps.delimiters', listed.filter((each) => each !== 'sentences')],
    ['steps.sentences', listed.includes('sentences')],
  ]
}

const unescaped = (text: string): string => text.replaceAll('\\n', '\n').replaceAll('\\t', '\t')

function put(into: Options, [first, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[first!] = value
  else put((into[first!] ??= {}) as Options, rest, value)
}
