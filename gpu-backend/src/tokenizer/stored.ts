import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { ModelError, assertFolder, check, readJsonIfAny } from '../checkpoint/index.ts'

/** A step of normalising or splitting a text, or several: with the fields of all types that `steps.ts` knows. */
export interface Step {
  type: string
  normalizers?: readonly Step[] | undefined
  pretokenizers?: readonly Step[] | undefined
  pattern?: Pattern | undefined
  content?: string | undefined
  prepend?: string | undefined
  strip_left?: boolean | undefined
  strip_right?: boolean | undefined
  behavior?: Behavior | undefined
  invert?: boolean | undefined
  individual_digits?: boolean | undefined
  delimiter?: string | undefined
  add_prefix_space?: boolean | null | undefined
  use_regex?: boolean | undefined
  replacement?: string | undefined
  prepend_scheme?: string | undefined
  split?: boolean | null | undefined
  clean_text?: boolean | undefined
  handle_chinese_chars?: boolean | undefined
  strip_accents?: boolean | null | undefined
  lowercase?: boolean | undefined
}

const pattern = v.union([v.object({ String: v.string() }), v.object({ Regex: v.string() })])
export type Pattern = v.InferOutput<typeof pattern>

const behavior = v.picklist(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'])
/** What becomes of a match, where a text is split at matches. */
export type Behavior = v.InferOutput<typeof behavior>

/** Steps of other types go to the library as they are. */
const step: v.GenericSchema<unknown, Step> = v.looseObject({
  type: v.string(),
  normalizers: v.optional(v.array(v.lazy(() => step))),
  pretokenizers: v.optional(v.array(v.lazy(() => step))),
  pattern: v.optional(pattern),
  content: v.optional(v.string()),
  prepend: v.optional(v.string()),
  strip_left: v.optional(v.boolean()),
  strip_right: v.optional(v.boolean()),
  behavior: v.optional(behavior),
  invert: v.optional(v.boolean()),
  individual_digits: v.optional(v.boolean()),
  delimiter: v.optional(v.string()),
  add_prefix_space: v.nullish(v.boolean()),
  use_regex: v.optional(v.boolean()),
  replacement: v.optional(v.string()),
  prepend_scheme: v.optional(v.string()),
  split: v.nullish(v.boolean()),
  clean_text: v.optional(v.boolean()),
  handle_chinese_chars: v.optional(v.boolean()),
  strip_accents: v.nullish(v.boolean()),
  lowercase: v.optional(v.boolean()),
})

const id = v.pipe(v.number(), v.integer(), v.minValue(0))
const flag = v.optional(v.boolean(), false)

/** `"a b"`, as older files have them, or `["a", "b"]`. */
const areMerges = (given: unknown): boolean =>
  Array.isArray(given) &&
  (given.every((merge) => typeof merge === 'string' && merge.split(' ').length === 2) ||
    given.every(
      (merge) => Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string'),
    ))

/** What all kinds have alike. */
const common = {
  normalizer: v.nullish(step),
  pre_tokenizer: v.nullish(step),
  post_processor: v.nullish(v.looseObject({ type: v.string() })),
  decoder: v.nullish(v.object({ type: v.string(), decoders: v.optional(v.array(v.object({ type: v.string() })), []) })),
  added_tokens: v.optional(
    v.array(
      v.object({
        id,
        content: v.string(),
        special: flag,
        normalized: flag,
        single_word: flag,
        lstrip: flag,
        rstrip: flag,
      }),
    ),
    [],
  ),
}

const tokenizerSchema = v.object({
  ...common,
  model: v.object({
    type: v.optional(v.string(), 'BPE'),
    vocab: dictionary(id),
    merges: v.custom<string[] | [string, string][]>(areMerges, 'must be pairs of tokens'),
    unk_token: v.nullish(v.string()),
    fuse_unk: v.nullish(v.boolean()),
    byte_fallback: v.nullish(v.boolean()),
    ignore_merges: v.nullish(v.boolean()),
    continuing_subword_prefix: v.nullish(v.string()),
    end_of_word_suffix: v.nullish(v.string()),
  }),
})

const wordPieceSchema = v.object({
  ...common,
  model: v.object({
    vocab: dictionary(id),
    unk_token: v.string(),
    continuing_subword_prefix: v.string(),
    max_input_chars_per_word: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 100),
  }),
})
/** What the `tokenizer.json` of a BERT says. */
export type StoredWordPiece = v.InferOutput<typeof wordPieceSchema>

/** What `tokenizer.json` says. */
export type StoredTokenizer = v.InferOutput<typeof tokenizerSchema>
/** A token beside the vocabulary, which is looked for before a text is split into words. */
export type AddedToken = StoredTokenizer['added_tokens'][number]
export type StoredModel = StoredTokenizer['model']

/** Checked first: another kind of tokenizer has another vocabulary, and its kind is what a user should be told. */
const kindSchema = v.object({ model: v.object({ type: v.optional(v.string()), merges: v.optional(v.unknown()) }) })

/**
 * Reads `tokenizer.json`.
 *
 * @throws ModelError if it is missing or broken, or the tokenizer is of another kind
 */
export async function readTokenizer(folder: string): Promise<StoredTokenizer> {
  const source = path.join(folder, name)
  const stored = await readKind(folder, 'BPE', tokenizerSchema)
  if (stored.model.continuing_subword_prefix)
    throw new ModelError('unsupported', `${source}: continuing_subword_prefix is not supported`)
  return stored
}

/**
 * Reads the `tokenizer.json` of a BERT.
 *
 * @throws as `readTokenizer`
 */
export async function readWordPiece(folder: string): Promise<StoredWordPiece> {
  const stored = await readKind(folder, 'WordPiece', wordPieceSchema)
  const { unk_token: unknown, vocab } = stored.model
  if (!vocab.has(unknown))
    throw new ModelError('invalid', `${path.join(folder, name)}: ${unknown} is none of its tokens`)
  return stored
}

async function readKind<S extends v.GenericSchema>(folder: string, kind: string, schema: S): Promise<v.InferOutput<S>> {
  await assertFolder(folder)
  const source = path.join(folder, name)
  const value = await readJsonIfAny(folder, name, v.unknown())
  if (value === undefined) throw noTokenizer(folder, await readdir(folder))
  const { merges, type = merges === undefined ? 'WordPiece' : 'BPE' } = check(value, source, kindSchema).model
  if (type !== kind)
    throw new ModelError('unsupported', `${source}: only ${kind} tokenizers are supported, not ${type}`)
  return check(value, source, schema)
}

const name = 'tokenizer.json'
/** Files that hold a tokenizer in an older form. */
const others = ['tokenizer.model', 'vocab.json', 'vocab.txt']

/** @param files what the folder or repository has instead */
export const noTokenizer = (source: string, files: readonly string[]): ModelError =>
  new ModelError('not_found', `${source} has no ${name}: ${insteadOfIt(source, files)}`)

function insteadOfIt(source: string, files: readonly string[]): string {
  const other = others.find((file) => files.includes(file))
  if (other)
    return `make it from its ${other} with Python's transformers: AutoTokenizer.from_pretrained("${source}").save_pretrained("${source}")`
  if (files.includes('tekken.json'))
    return "its tekken.json is for Mistral's own library; take the model in the format of transformers, with tokenizer.json and config.json"
  return 'name a folder that holds a Hugging Face checkpoint'
}
