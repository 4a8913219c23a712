import type { Contender, OpenOptions } from './contender.ts'
import { load } from './install.ts'

/** The part of @huggingface/transformers in use; the package is installed on demand, so its own types may be absent. */
interface TransformersJs {
  Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => Tensor
  AutoModelForCausalLM: { from_pretrained(folder: string, options: object): Promise<CausalLM> }
}
interface Tensor {
  data: BigInt64Array
}
interface CausalLM {
  generate(options: object): Promise<Tensor>
  dispose(): Promise<unknown>
}

/** `model` is a folder in the layout of transformers.js. */
export async function open({ model, threads }: OpenOptions): Promise<Contender> {
  const { AutoModelForCausalLM, Tensor } = await load<TransformersJs>('@huggingface/transformers')
  const lm = await AutoModelForCausalLM.from_pretrained(model, {
    local_files_only: true,
    device: 'cpu',
    dtype: 'fp32',
    session_options: { intraOpNumThreads: threads },
  })
  return {
    async generate(prompt, maxTokens) {
      const ids = (values: bigint[]) => new Tensor('int64', BigInt64Array.from(values), [1, values.length])
      const output = await lm.generate({
        inputs: ids(prompt.map(BigInt)),
        attention_mask: ids(prompt.map(() => 1n)),
        max_new_tokens: maxTokens,
        do_sample: false,
      })
      return Array.from(output.data.subarray(prompt.length), Number)
    },
    async close() {
      await lm.dispose()
    },
  }
}
