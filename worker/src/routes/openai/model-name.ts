/** The models that can be asked, by name, and what a name's suffix says of looking ahead. */
import { ProtocolError, modes, verifiers } from '@lookahead/sdk/protocol'
import type { RunRequestInput } from '@lookahead/sdk/protocol'
import type { Bindings } from '../../settings.ts'

/** A run asks the target; the draft and the judge only help. */
const TARGET = 'target'

/** Names of the one model that can be asked. */
export const servedNames = ({ MODEL_NAME }: Bindings): string[] =>
  MODEL_NAME && MODEL_NAME !== TARGET ? [MODEL_NAME, TARGET] : [TARGET]

/** How a request's model is called in the answer, and what its suffix says. */
export interface Model {
  name: string
  lookahead: NonNullable<RunRequestInput['lookahead']>
}

/**
 * Reads `NAME`, `NAME:MODE`, `NAME:VERIFIER` or `NAME:MODE:VERIFIER`, for clients that can set nothing but a name. The
 * default is the first served name.
 * @throws {ProtocolError} 404 `model_not_found`
 */
export function readModel(env: Bindings, asked: string | undefined): Model {
  const names = servedNames(env)
  if (asked === undefined) return { name: names[0]!, lookahead: {} }
  // A name may have colons of its own.
  const name = names.find((known) => asked === known || asked.startsWith(`${known}:`))
  const lookahead = name === undefined ? undefined : readSuffix(asked.slice(name.length))
  if (lookahead) return { name: asked, lookahead }
  const suffixes = [...modes, ...verifiers].map((word) => `:${word}`).join(', ')
  throw new ProtocolError(
    404,
    'model_not_found',
    `there is no model "${asked}": use ${names.map((known) => `"${known}"`).join(' or ')}, perhaps with ${suffixes} after it`,
    { param: 'model' },
  )
}

/** Undefined where it says nothing that we know. */
function readSuffix(suffix: string): Model['lookahead'] | undefined {
  const lookahead: Model['lookahead'] = {}
  for (const word of suffix.split(':').slice(1)) {
    const mode = modes.find((known) => known === word)
    const verifier = verifiers.find((known) => known === word)
    if (mode && !lookahead.mode && !lookahead.verifier) lookahead.mode = mode
    else if (verifier && !lookahead.verifier) lookahead.verifier = verifier
    else return undefined
  }
  return lookahead
}
