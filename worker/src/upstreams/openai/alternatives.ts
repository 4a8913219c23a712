/**
 * Several steps drafted for one place (multi-branch drafting, arXiv 2506.19830, §3): the first is what the steps after it go on from, the
 * others are leaves beside it, so that depth d and width W are d·W drafted steps, not W^d.
 */
import { channelsThrough, longestStep } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import type { Ruling } from '../../lookahead/verifiers/index.ts'
import { writeBranches } from './branches.ts'
import type { Branches } from './branches.ts'
import type { Step } from './cutter.ts'
import { joined } from './passage.ts'
import type { Passage } from './passage.ts'
import type { Capabilities } from './probe.ts'
import type { Server } from './server.ts'

/** A drafted step, and where it belongs. */
export interface Drafted {
  /** Its place after what is committed, from 0. */
  index: number
  /** Which of its place, from 1; undefined for the first. */
  alternative: number | undefined
  step: Step
}

/** A drafted step by its name. */
export interface Named {
  id: string
  step: Step
}

/** Moves the seed: equal prompts would else be drawn alike. */
const SEED_OFFSET = 7_919

/** The chain that alternatives are drawn beside, as the draft knows it. */
export interface Beside extends Pick<Branches, 'rules' | 'sampling' | 'isRendered'> {
  /** What the chain goes on from, and where that leaves off. */
  base: Passage
  channels: ChannelState
  /** Tokens of output before it. */
  position: number
  chain: readonly Step[]
  width: number
}

/**
 * For each place of the chain up to W − 1 others, in order, those that come out the same left out: drawn independently of it, at
 * temperature 0 at temperature 1. All in one call, or with a seed one call for each further alternative.
 * @throws {UpstreamError}; the signal's reason
 */
export async function alternativesTo(
  server: Server,
  can: Capabilities,
  { base, channels, position, chain, width, rules, sampling, isRendered }: Beside,
  signal: AbortSignal,
): Promise<Drafted[]> {
  const places = chain.map((_, i) => {
    const before = joined(...chain.slice(0, i))
    return { text: joined(base, before), channels: channelsThrough(channels, before.text) }
  })
  const rounds = Array.from({ length: width - 1 }, (_, i) => i + 1)
  const drawn = sampling.temperature === 0 ? { ...sampling, temperature: 1 } : sampling
  const common = { rules, maxTokens: longestStep(rules), sampling: drawn, isRendered }
  const write = (after: Branches['after'], seedOffset: number) =>
    writeBranches(server, can, { ...common, after, seedOffset }, signal)
  const written =
    drawn.seed === undefined
      ? await write(
          rounds.flatMap(() => places),
          0,
        )
      : (await Promise.all(rounds.map((round) => write(places, position + round * SEED_OFFSET)))).flat()
  return chain.flatMap((first, index) => {
    const seen = new Set(['', first.text])
    return rounds.flatMap((alternative) => {
      const step = written[(alternative - 1) * chain.length + index]!
      if (seen.has(step.text)) return []
      seen.add(step.text)
      return { index, alternative, step }
    })
  })
}

/**
 * What counts of the rulings on all places: in each those up to the first that accepts, and no place after one where that is not
 * the first of all.
 */
export function decisiveRulings(rulings: readonly (readonly Ruling[])[]): (readonly Ruling[])[] {
  const told: (readonly Ruling[])[] = []
  for (const place of rulings) {
    const at = place.findIndex((ruling) => ruling?.accepted)
    told.push(at < 0 ? place : place.slice(0, at + 1))
    if (at !== 0) break
  }
  return told
}

/** The drafted steps that stand by these rulings. */
export const acceptedSteps = (places: readonly (readonly Named[])[], told: readonly (readonly Ruling[])[]): Step[] =>
  told.flatMap((rulings, i) => (rulings.at(-1)?.accepted ? [places[i]![rulings.length - 1]!.step] : []))
