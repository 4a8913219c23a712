/**
 * The parts of `@huggingface/tokenizers` that we put together. Its own types are not found by Node's way of resolving modules,
 * so these say what we use.
 */
import * as library from '@huggingface/tokenizers'
import type { Step, StoredModel } from './stored.ts'

export interface SequenceNormalizer {
  normalize(text: string): string
}

export interface SequencePreTokenizer {
  /** @param options `section_index` 0: the text begins with it */
  pre_tokenize(text: string, options: { section_index: number }): string[]
}

export interface SequencePostProcessor {
  post_process(tokens: string[], pair: null, addSpecialTokens: boolean): { tokens: string[] }
}

/** Words to tokens by merges. */
export interface BPE {
  (words: string[]): string[]
  tokens_to_ids: ReadonlyMap<string, number>
  unk_token_id: number | undefined
}

type BPEConfig = Omit<StoredModel, 'vocab'> & { vocab: Record<string, number> }

interface Library {
  SequenceNormalizer: new (config: { normalizers: readonly Step[] }) => SequenceNormalizer
  SequencePreTokenizer: new (config: { pretokenizers: readonly Step[] }) => SequencePreTokenizer
  SequencePostProcessor: new (config: { processors: readonly { type: string }[] }) => SequencePostProcessor
  BPE: new (config: BPEConfig) => BPE
}

export const { SequenceNormalizer, SequencePreTokenizer, SequencePostProcessor, BPE } = library as unknown as Library
