/** Run by main.ts with the libraries that compute nothing: forwards of the model in argv[2], in the weights of argv[3]. */
import { writeSync } from 'node:fs'
import { tokensAfter } from '../../bench/forwards.ts'
import { weightTypes, type WeightType } from '../../src/graph/index.ts'
import { Model, type Row } from '../../src/model/index.ts'

const [folder, weights] = process.argv.slice(2)
if (folder === undefined || !isWeightType(weights)) throw new Error('forwards.ts FOLDER WEIGHTS')

/** Between these lines stand those of the libraries. */
const mark = (line: string) => writeSync(2, `forward ${line}\n`)
const reduced = { temperature: 1, suffices: () => true }
const rows = (requests: number, tokens: number, context = 300): Row[] =>
  Array.from({ length: requests }, () => ({ ...tokensAfter(context, tokens), reduced }))

using model = await Model.load(folder, { slots: 2048, device: 'cuda', weights, reducedLogits: true })
for (const [requests, tokens] of [
  [1, 1],
  [1, 16],
  [8, 1],
  [4, 8],
] as const) {
  // The second one has the shapes of the first, for whatever is done only once.
  await model.forward(rows(requests, tokens))
  mark(`${requests} × ${tokens}`)
  await model.forward(rows(requests, tokens))
  mark(`end ${model.hostBytes.inputs} ${model.hostBytes.outputs}`)
}
// Texts that grow, then a long prompt.
mark('growth')
for (let context = 300; context < 1800; context += 30) await model.forward(rows(16, 1, context))
for (let context = 0; context < 1536; context += 512) await model.forward(rows(1, 512, context))
mark('growth end')

function isWeightType(text: string | undefined): text is WeightType {
  return weightTypes.some((type) => type === text)
}
