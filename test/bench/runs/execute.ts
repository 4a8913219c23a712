/** Makes one run, and puts down what came of it. */
import os from 'node:os'
import { LookaheadError } from '@lookahead/sdk'
import { ask, measure } from '../../measure.ts'
import type { Runs } from '../in-process.ts'
import { lookaheadRequest } from '../lookahead-options.ts'
import type { PlannedRun } from './plan.ts'
import type { Conditions, Run, RunIdentity } from './run.ts'
import { Timeline } from './timeline.ts'

export const identify = ({ problem, mode, sample, seed }: PlannedRun, conditions: Conditions): RunIdentity => ({
  problem: problem.id,
  mode,
  sample,
  seed,
  conditions,
})

/** What the worker is asked, beside the mode. */
export function requestFor(
  { problem, mode, seed }: Pick<PlannedRun, 'problem' | 'mode' | 'seed'>,
  conditions: Conditions,
) {
  const { temperature, maxTokens, depth, adaptive, verifier, lookahead = {} } = conditions
  return {
    ...ask(problem.question),
    sampling: { seed, ...(temperature === undefined ? {} : { temperature }) },
    max_tokens: maxTokens,
    // The other modes are fixed.
    lookahead: {
      depth,
      adaptive: adaptive && mode === 'auto',
      verifier,
      ...lookaheadRequest(lookahead),
    },
  }
}

/** A run that fails is a result too. */
export async function execute(client: Runs, planned: PlannedRun, conditions: Conditions): Promise<Run> {
  const made = { ...identify(planned, conditions), machine, started: new Date().toISOString() }
  const timeline = new Timeline()
  try {
    const request = requestFor(planned, conditions)
    const { result, tokens, seconds } = await measure(client, planned.mode, request, (event) => timeline.add(event))
    const { text, finish_reason: finish, stats } = result
    const mark = planned.problem.mark(text)
    return { ...made, ms: 1000 * seconds, tokens, finish, text, ...mark, stats, timeline: timeline.events }
  } catch (error) {
    if (!LookaheadError.isInstance(error)) throw error
    return { ...made, error: { code: error.code, message: error.message } }
  }
}

const machine = `${os.availableParallelism()} × ${os.cpus()[0]?.model ?? os.arch()}, ${os.type()}`
