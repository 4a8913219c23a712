/** `GET /v1/models`, which every OpenAI-compatible server has. */
import * as v from 'valibot'
import { parseJson, textWithin } from '../error-text.ts'

/** Clouds have hundreds of models, and much to say of each. */
const MOST_CHARACTERS = 2 ** 23

const count = v.fallback(v.number(), 0)

/** How long a text may be stands there with vLLM, SGLang and our own; 0: it is not told. */
const Listed = v.object({ data: v.array(v.object({ id: v.string(), created: count, max_model_len: count })) })

/** Undefined: it is no such list. */
export async function modelsIn(answer: Response): Promise<v.InferOutput<typeof Listed>['data'] | undefined> {
  const text = await textWithin(answer, MOST_CHARACTERS).catch(() => undefined)
  const listed = v.safeParse(Listed, parseJson(text ?? ''))
  return listed.success ? listed.output.data : undefined
}
