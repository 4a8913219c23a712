import { tokensAfter } from '../bench/forwards.ts'
import { spread } from '../bench/statistics.ts'
import { memoryNames, type Device } from '../src/onnxruntime/index.ts'
import { Model } from '../src/model/index.ts'
import { refusal, type Section } from './section.ts'

const context = 300
const sizes = [1024, 64 * 1024]

/** What goes over the bus in a forward, with a small pool and a large one. */
export async function pool(device: Device, target: string, rounds: number): Promise<Section> {
  const section: Section = {
    title: 'The pool stays where it is',
    about: `A forward of one token after ${context} of the shipped target. Were the pool copied, time would grow with it.`,
    rows: [],
    checks: [],
  }
  const sent: string[] = []
  try {
    for (const slots of sizes) {
      using model = await Model.load(target, { slots, device })
      await model.forward([tokensAfter(0, context)])
      const times: number[] = []
      for (let round = -2; round < rounds; round++) {
        const started = performance.now()
        await model.forward([tokensAfter(context, 1)])
        if (round >= 0) times.push(performance.now() - started)
      }
      const { inputs, outputs } = model.hostBytes
      const lies = model.poolMemory.join(', ')
      section.rows.push({
        slots,
        'pool lies in': lies,
        'bytes from the host': inputs,
        'bytes to the host': outputs,
        ms: spread(times).median,
      })
      section.checks.push({
        what: `${slots} slots: the pool lies in ${memoryNames[device]} memory`,
        passed: lies === memoryNames[device],
        seen: lies,
      })
      sent.push(`${inputs} and ${outputs}`)
    }
    const [small, large] = sent
    section.checks.push({
      what: 'as many bytes pass through the host with a large pool as with a small one',
      passed: small === large,
      seen: sent.join('; '),
    })
  } catch (error) {
    section.checks.push({ what: 'forwards run', passed: false, seen: refusal(error) })
  }
  return section
}
