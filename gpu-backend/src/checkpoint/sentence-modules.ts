import path from 'node:path'
import * as v from 'valibot'
import { ModelError } from './error.ts'
import { assertFolder, readJson, readJsonIfAny } from './json.ts'

/** How one embedding is made of those of all tokens: their mean, or the first one's. */
export type Pooling = 'mean' | 'cls'

/** What a sentence-transformers checkpoint says beside its encoder. */
export interface SentenceModules {
  /** Folder with the encoder and its tokenizer. */
  transformer: string
  pooling: Pooling
  /** Tokens that are read of a text, those put around it included; undefined: as many as the encoder has positions for. */
  mostTokens: number | undefined
  /** Texts are lowercased before anything else. */
  lowercase: boolean
}

const modulesSchema = v.array(v.object({ path: v.string(), type: v.string() }))
const count = v.pipe(v.number(), v.integer(), v.minValue(1))

const poolingSchema = v.looseObject({
  /** From version 6 on; before, a flag for each. */
  pooling_mode: v.nullish(v.union([v.string(), v.array(v.string())])),
})
/** Older spellings, by what they stand for (sentence_transformers, modules/pooling.py). */
const poolingFlags = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
} as const

const transformerSchema = v.object({
  max_seq_length: v.nullish(count),
  do_lower_case: v.nullish(v.boolean(), false),
})
/** transformers writes 1e30 for no limit. */
const tokenizerSchema = v.object({ model_max_length: v.nullish(v.number()) })
const promptsSchema = v.object({ default_prompt_name: v.nullish(v.string()) })

/**
 * Reads `modules.json` and what it names: the pooling's config.json, `sentence_bert_config.json`, and, for the length that
 * texts are cut to, `tokenizer_config.json`. A folder without `modules.json` is a bare encoder, whose tokens' mean is taken, as
 * the Python library does.
 *
 * @throws ModelError if a file is broken, or asks for modules, a pooling or a prompt that are not supported
 */
export async function readSentenceModules(folder: string): Promise<SentenceModules> {
  await assertFolder(folder)
  const modules = (await readJsonIfAny(folder, 'modules.json', modulesSchema)) ?? [{ path: '', type: 'Transformer' }]
  const [encoder, pooling] = supported(folder, modules)
  await assertNoPrompt(folder)
  const transformer = path.join(folder, encoder.path)
  const own = await readJsonIfAny(transformer, 'sentence_bert_config.json', transformerSchema)
  const tokenizer = await readJsonIfAny(transformer, 'tokenizer_config.json', tokenizerSchema)
  const most = own?.max_seq_length ?? tokenizer?.model_max_length ?? undefined
  return {
    transformer,
    pooling: pooling ? await readPooling(path.join(folder, pooling.path)) : 'mean',
    mostTokens: most,
    lowercase: own?.do_lower_case ?? false,
  }
}

type Module = v.InferOutput<typeof modulesSchema>[number]

/** Transformer, Pooling and Normalize, in this order; the last need not be there: embeddings are normalised in any case. */
function supported(folder: string, modules: readonly Module[]): [encoder: Module, pooling: Module | undefined] {
  const kinds = modules.map(({ type }) => type.split('.').at(-1))
  const refuse = (reason: string): never => {
    throw new ModelError('unsupported', `${path.join(folder, 'modules.json')}: ${reason}`)
  }
  const strange = kinds.find((kind, i) => kind !== ['Transformer', 'Pooling', 'Normalize'][i])
  if (strange !== undefined)
    refuse(`the module ${strange} is not supported there, only Transformer, Pooling and Normalize, in this order`)
  return [modules[0] ?? refuse('it names no modules: download the checkpoint again'), modules[1]]
}

async function readPooling(folder: string): Promise<Pooling> {
  const config = await readJson(folder, 'config.json', poolingSchema)
  const flags = Object.entries(poolingFlags).filter(([flag]) => config[flag] === true)
  const modes = config.pooling_mode == null ? flags.map(([, mode]) => mode) : [config.pooling_mode].flat()
  const mode = modes.length === 0 ? 'mean' : modes.join(' with ')
  // Over its root or over the count, a sum has the same direction.
  if (mode === 'mean' || mode === 'mean_sqrt_len_tokens') return 'mean'
  if (mode === 'cls') return 'cls'
  throw new ModelError(
    'unsupported',
    `${path.join(folder, 'config.json')}: pooling by ${mode} is not supported, only by mean or cls`,
  )
}

async function assertNoPrompt(folder: string): Promise<void> {
  const name = 'config_sentence_transformers.json'
  const prompt = (await readJsonIfAny(folder, name, promptsSchema))?.default_prompt_name
  if (prompt)
    throw new ModelError(
      'unsupported',
      `${path.join(folder, name)}: texts with the prompt "${prompt}" before them are not supported`,
    )
}
