import type { Device } from '../src/onnxruntime/index.ts'
import {
  causalRow,
  joinedLogits,
  Model,
  wholeLogits,
  type Reduction,
  type Row,
  type Scores,
} from '../src/model/index.ts'
import { refusal, type Section } from './section.ts'
import { variants } from './variants.ts'

const slots = 2048
const question =
  'Ann buys 3 books at $12 and 4 pens at $2. She pays with a note of $50. How much money does she get back, and why?'

/** The logits of the same tokens: on the CPU in fp32, and on the device in every precision. */
export async function parity(device: Device, target: string): Promise<Section> {
  const section: Section = {
    title: 'Parity with fp32 on the CPU',
    about: 'The shipped target: the largest difference of a logit, and the share of places with the same best token.',
    rows: [],
    checks: [],
  }
  const expected = await withModel(target, { device: 'cpu', weights: 'fp32' }, cases)
  for (const { name, precision, difference, agreement } of variants(device)) {
    try {
      const own = await withModel(target, { device, reducedLogits: true, ...precision }, cases)
      let [equal, places] = [0, 0]
      for (const [layout, logits] of own.logits) {
        const seen = compare(logits, expected.logits.get(layout)!, own.vocabulary)
        equal += seen.equal
        places += seen.places
        section.rows.push({ weights: name, forward: layout, difference: seen.difference, 'equal tokens': share(seen) })
        section.checks.push({
          what: `${name}, ${layout}: every logit within ${difference}`,
          passed: seen.difference <= difference,
          seen: seen.difference.toPrecision(3),
        })
      }
      section.checks.push({
        what: `${name}: the likeliest tokens, found on the device, are those of the whole rows`,
        passed: own.wrongTops === 0,
        seen: `${own.wrongTops} rows differ`,
      })
      section.checks.push({
        what: `${name}: the same best token in at least ${100 * agreement} % of places`,
        passed: equal / places >= agreement,
        seen: share({ equal, places }),
      })
    } catch (error) {
      section.checks.push({ what: `${name} runs`, passed: false, seen: refusal(error) })
    }
  }
  return section
}

async function withModel<T>(
  target: string,
  options: Omit<Parameters<typeof Model.load>[1], 'slots'>,
  run: (model: Model) => Promise<T>,
): Promise<T> {
  using model = await Model.load(target, { slots, ...options })
  return await run(model)
}

/** Each way to lay tokens out in a forward, over the same text. */
async function cases(model: Model) {
  const { tokenizer } = model
  const text = tokenizer.encode(
    tokenizer.renderChat([{ role: 'user', content: question }], { addGenerationPrompt: true }),
  )
  const logits = new Map<string, Float32Array>()
  const whole = await model.forward([causalRow(text, range(0, text.length))])
  logits.set('prefill', joinedLogits(whole))
  const tops = await model.forward([{ ...causalRow(text, range(0, text.length)), reduced: always }])

  const single: Scores[] = []
  const scattered = text.map((_, i) => 200 + ((i * 577) % 1500))
  for (const [i, token] of text.entries())
    single.push(...(await model.forward([causalRow([token], [scattered[i]!], scattered.slice(0, i))])))
  logits.set('one token at a time', joinedLogits(single))

  logits.set('a tree', joinedLogits(await model.forward([tree(text, scattered)])))

  const half = Math.floor(text.length / 2)
  const ragged = [causalRow(text.slice(half), range(1800, text.length - half), scattered.slice(0, half))]
  const short = causalRow(text.slice(0, 7).toReversed(), range(1950, 7))
  logits.set('a ragged batch', joinedLogits(await model.forward([...ragged, short])))
  return {
    vocabulary: model.config.vocabSize,
    logits,
    wrongTops: tops.filter((top, i) => !agrees(top, whole[i]!)).length,
  }
}

const temperature = 0.6
const always: Reduction = { temperature, suffices: () => true }

/** Whether the likeliest tokens, and what the vocabulary weighs against the first of them, are those of the whole row. */
function agrees(top: Scores, whole: Scores): boolean {
  const logits = wholeLogits(whole)
  if (top instanceof Float32Array) return top.every((logit, token) => logit === logits[token])
  const greatest = top.logits[0]!
  const weight = logits.reduce((sum, logit) => sum + Math.exp((logit - greatest) / temperature), 0)
  const last = top.logits.at(-1)!
  return (
    top.tokens.every((token, i) => logits[token] === top.logits[i]) &&
    logits.every((logit, token) => logit <= last || top.tokens.includes(token)) &&
    Math.abs(top.weight / weight - 1) < 1e-4
  )
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

/** Two branches of four tokens each, which alternate in the forward, after a context. */
function tree(text: number[], context: number[]): Row {
  const branches = [text.slice(0, 4), text.slice(4, 8)] as const
  const tokens = range(0, 8).map((i) => branches[i % 2]![Math.floor(i / 2)]!)
  const own = range(1900, 8)
  const shared = context.length
  return {
    tokens,
    positions: tokens.map((_, i) => shared + Math.floor(i / 2)),
    writeSlots: own,
    keySlots: [...context, ...own],
    sees: tokens.map((_, i) => [
      [0, shared],
      ...range(0, i + 1)
        .filter((j) => j % 2 === i % 2)
        .map((j) => [shared + j, shared + j + 1] as const),
    ]),
    logitRows: range(0, 8),
  }
}

const share = ({ equal, places }: { equal: number; places: number }) => `${equal} of ${places}`

/** The greatest difference, NaN if any number is; and at how many of the places the likeliest token is the same. */
export function compare(own: Float32Array, expected: Float32Array, vocabulary: number) {
  let difference = 0
  let equal = 0
  const places = expected.length / vocabulary
  for (let place = 0; place < places; place++) {
    const [a, b] = [own, expected].map((logits) => logits.subarray(place * vocabulary, (place + 1) * vocabulary))
    for (let i = 0; i < vocabulary; i++) {
      // Of a NaN, Math.max makes NaN from there on.
      difference = Math.max(difference, Math.abs(a![i]! - b![i]!))
    }
    if (best(a!) === best(b!)) equal++
  }
  return { difference, equal, places }
}

function best(logits: Float32Array): number {
  let most = 0
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[most]!) most = i
  return most
}
