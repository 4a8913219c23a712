/**
 * The parts of `@huggingface/tokenizers` that we put together. Its own types are not found by Node's way of resolving modules,
 * so these say what we use.
 */
import * as library from '@huggingface/tokenizers'
import type { Step, StoredModel, StoredWordPiece } from './stored.ts'

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

/** Words to tokens: by merges, or by the longest pieces that the vocabulary has. */
export interface WordModel {
  (words: string[]): string[]
  tokens_to_ids: ReadonlyMap<string, number>
  unk_token_id: number | undefined
}

type Config<Stored> = Omit<Stored, 'vocab'> & { vocab: Record<string, number> }

interface Library {
  SequenceNormalizer: new (config: { normalizers: readonly Step[] }) => SequenceNormalizer
  SequencePreTokenizer: new (config: { pretokenizers: readonly Step[] }) => SequencePreTokenizer
  SequencePostProcessor: new (config: { processors: readonly { type: string }[] }) => SequencePostProcessor
  BPE: new (config: Config<StoredModel>) => WordModel
  WordPiece: new (config: Config<StoredWordPiece['model']>) => WordModel
}

export const { SequenceNormalizer, SequencePreTokenizer, SequencePostProcessor, BPE, WordPiece } =
  library as unknown as Library
