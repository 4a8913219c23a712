import { tokensAfter } from '../bench/forwards.ts'
import { isNodeRun, traced } from '../bench/trace.ts'
import type { Device } from '../src/onnxruntime/index.ts'
import { refusal, type Section } from './section.ts'
import { variants } from './variants.ts'

const providers = { cpu: 'CPUExecutionProvider', cuda: 'CUDAExecutionProvider' } as const satisfies Record<
  Device,
  string
>

/** Which execution provider ran each node of some forwards of the checkpoint, as ONNX Runtime's profile has it. */
export async function operators(device: Device, target: string): Promise<Section> {
  const section: Section = {
    title: 'Where operators run',
    about: `Nodes run in a forward of 40 tokens and one of a single token, by ONNX Runtime's own profile.`,
    rows: [],
    checks: [],
  }
  for (const { name, precision } of variants(device)) {
    const what = `${name}: every node ran on ${providers[device]}, none copied between host and device`
    try {
      const events = await traced(target, { slots: 256, device, reducedLogits: true, ...precision }, async (model) => {
        await model.forward([tokensAfter(0, 40)])
        await model.forward([tokensAfter(40, 1)])
      })
      const nodes = events.filter(isNodeRun)
      const elsewhere = nodes.filter(({ args }) => args.provider !== providers[device])
      const copies = nodes.filter(({ args }) => args.op_name!.startsWith('Memcpy'))
      const names = [...new Set([...elsewhere, ...copies].map((event) => `${event.name} on ${event.args.provider}`))]
      section.rows.push({ weights: name, nodes: nodes.length, elsewhere: elsewhere.length, Memcpy: copies.length })
      section.checks.push({ what, passed: nodes.length > 0 && names.length === 0, seen: names.slice(0, 8).join(', ') })
    } catch (error) {
      section.checks.push({ what, passed: false, seen: refusal(error) })
    }
  }
  return section
}
