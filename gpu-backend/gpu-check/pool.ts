import { tokensAfter } from '../bench/forwards.ts'
import { spread } from '../bench/statistics.ts'
import { memoryNames, type Device } from '../src/onnxruntime/index.ts'
import { Model } from '../src/model/index.ts'
import { refusal, type Section } from './section.ts'

const context = 300
/** Large enough that a copy of it would outlast everything else: a GPU's memory is fast. */
const sizes = { cpu: [1024, 2 ** 16], cuda: [1024, 2 ** 21] } as const
/** A forward with the larger pool may take so many times one with the smaller. */
const mostSlower = 3

/** What goes over the bus in a forward, with a small pool and a large one. */
export async function pool(device: Device, target: string, rounds: number): Promise<Section> {
  const section: Section = {
    title: 'The pool stays where it is',
    about: `A forward of a token each of two texts after ${context}, which have the whole pool bound, with the shipped target. Were the pool
copied, time would grow with it.`,
    rows: [],
    checks: [],
  }
  const sent: string[] = []
  const medians: number[] = []
  try {
    for (const slots of sizes[device]) {
      using model = await Model.load(target, { slots, device })
      await model.forward([tokensAfter(0, context)])
      const times: number[] = []
      for (let round = -2; round < rounds; round++) {
        const started = performance.now()
        await model.forward([tokensAfter(context, 1), tokensAfter(context, 1)])
        if (round >= 0) times.push(performance.now() - started)
      }
      const ms = spread(times).median
      medians.push(ms)
      const { inputs, outputs } = model.hostBytes
      const lies = model.poolMemory.join(', ')
      section.rows.push({
        slots,
        'pool lies in': lies,
        'bytes from the host': inputs,
        'bytes to the host': outputs,
        ms,
      })
      section.checks.push({
        what: `${slots} slots: the pool lies in ${memoryNames[device]} memory`,
        passed: lies === memoryNames[device],
        seen: lies,
      })
      sent.push(`${inputs} and ${outputs}`)
    }
    section.checks.push({
      what: 'as many bytes are bound in host memory with a large pool as with a small one',
      passed: sent[0] === sent[1],
      seen: sent.join('; '),
    })
    // A CPU has no other memory to copy the pool from, and what else runs there would be timed too.
    if (device === 'cuda')
      section.checks.push({
        what: `a forward takes at most ${mostSlower} times as long with a large pool`,
        passed: medians[1]! <= mostSlower * medians[0]!,
        seen: medians.map((ms) => `${ms.toFixed(2)} ms`).join(', '),
      })
  } catch (error) {
    section.checks.push({ what: 'forwards run', passed: false, seen: refusal(error) })
  }
  return section
}
