/** The shared verifiers, asked about steps that another engine wrote. */
import { rejected } from '../../lookahead/verifiers/index.ts'
import type { Pair, Ruling, Verifier } from '../../lookahead/verifiers/index.ts'
import { logLine } from '../../log.ts'
import { words } from '../../lookahead/trouble.ts'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { decisiveRulings } from './alternatives.ts'
import type { Step } from './cutter.ts'

/** As the GPU backend's. */
const ASK_MS = 30_000

/** Stands for the end of the text, which some engines count as a token and some do not. */
const END = -1

/** @throws {UpstreamError} `invalid_request` for a name or threshold that there is not */
export function verifierOf(
  known: ReadonlyMap<string, Verifier>,
  name: string,
  threshold: number | undefined,
): Verifier {
  const verifier = known.get(name)
  if (!verifier) {
    const names = [...known.keys()].join(', ')
    throw new UpstreamError('invalid_request', `there is no such lookahead.verifier: there are ${names}`)
  }
  if (threshold === undefined) return verifier
  if (!verifier.withThreshold)
    throw new UpstreamError('invalid_request', `the verifier ${name} takes no lookahead.threshold`)
  return verifier.withThreshold(threshold)
}

/** Two steps, for a verifier. Where not all ids are known, characters stand for tokens. */
export function pairOf(draft: Step, target: Step, place: Pick<Pair, 'context' | 'halfSteps'>): Pair {
  const isKnown = draft.ids !== undefined && target.ids !== undefined
  const tokens = ({ ids, text, end }: Step) => [
    ...(isKnown ? ids! : charactersOf(text)),
    ...(end === 'text' ? [END] : []),
  ]
  return {
    draft: {
      text: draft.text,
      tokens: tokens(draft),
      end: draft.end === 'length' ? 'cap' : draft.end,
      unlikely: false,
    },
    target: { text: target.text, tokens: tokens(target), end: target.end },
    ...place,
  }
}

const charactersOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!)

/**
 * Rulings on the alternatives of each place that count (`decisiveRulings`). What fails, or is not answered in time, is rejected as `judge_failed`.
 * @throws the signal's reason
 */
export async function rulingsOf(
  verifier: Verifier,
  places: readonly (readonly Pair[])[],
  signal: AbortSignal,
): Promise<(readonly Ruling[])[]> {
  const rulings = places.map((pairs) => pairs.map((pair) => verifier.rule(pair)))
  const open = openIn(rulings)
  if (open.length > 0) {
    const pairs = open.map(([place, number]) => places[place]![number]!)
    const answers = await answersOf(verifier, pairs, signal)
    for (const [i, [place, number]] of open.entries()) rulings[place]![number] = answers[i] ?? rejected('judge')
  }
  return decisiveRulings(rulings as Ruling[][])
}

/** Those on which a ruling is wanted: before the first of their place that is accepted, and after no place whose first is rejected. */
function openIn(rulings: readonly (readonly (Ruling | undefined)[])[]): [place: number, number: number][] {
  const rejectedAt = rulings.findIndex(([first]) => first?.accepted === false)
  return rulings.slice(0, rejectedAt < 0 ? undefined : rejectedAt + 1).flatMap((place, i) => {
    const known = place.findIndex((ruling) => ruling?.accepted)
    const asked = [...place.slice(0, known < 0 ? undefined : known).keys()]
    return asked.filter((number) => !place[number]).map((number): [number, number] => [i, number])
  })
}

async function answersOf(
  verifier: Verifier,
  pairs: readonly Pair[],
  signal: AbortSignal,
): Promise<readonly (Ruling | undefined)[]> {
  if (!verifier.ask) return []
  try {
    return await verifier.ask(pairs, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]))
  } catch (error) {
    signal.throwIfAborted()
    logLine({ event: 'verifier.failed', verifier: verifier.name, cause: words(error) })
    return pairs.map(() => rejected('judge_failed'))
  }
}
