import type { Pair, Ruling, TokenDistribution, Verifier } from './verifier.ts'

/**
 * Several verifiers, cheap ones first, as one: the first that rules on a pair has ruled. Nobody is asked before all rules
 * were tried, and each only about what those before it left open. A part that fails fails the chain.
 */
export function chain(name: string, ...parts: readonly Verifier[]): Verifier {
  const leastLogprobs = parts.flatMap(({ leastLogprob }) => leastLogprob ?? [])
  const keepers = parts.filter((part) => part.kept !== undefined)
  const askable = parts.filter((part) => part.ask !== undefined)
  return {
    name,
    ...(leastLogprobs.length > 0 && { leastLogprob: Math.max(...leastLogprobs) }),
    ...(keepers.length > 0 && {
      kept: (tokens: readonly number[], p: (i: number) => TokenDistribution) =>
        Math.min(...keepers.map((part) => part.kept!(tokens, p))),
    }),
    rule: (pair) => firstOf(parts, (part) => part.rule(pair)),
    ...(askable.length > 0 && { ask: (pairs, signal) => askInTurn(askable, pairs, signal) }),
  }
}

async function askInTurn(
  parts: readonly Verifier[],
  pairs: readonly Pair[],
  signal: AbortSignal,
): Promise<(Ruling | undefined)[]> {
  const rulings = pairs.map((): Ruling | undefined => undefined)
  for (const part of parts) {
    const open = [...pairs.keys()].filter((i) => !rulings[i])
    if (open.length === 0) break
    const answers = await part.ask!(
      open.map((i) => pairs[i]!),
      signal,
    )
    for (const [n, i] of open.entries()) rulings[i] = answers[n]
  }
  return rulings
}

function firstOf<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
