/** Plain decoding with token speculation: one text, written from a prompt to its end. */
import { randomInt } from 'node:crypto'
import type { ChannelState, FinishReason } from '@lookahead/sdk/protocol'
import { wholeLogits } from '../../model/index.ts'
import type { Scores } from '../../model/index.ts'
import { distribution, reduction, samplingParameters } from '../sampling/distribution.ts'
import type { Sampling } from '../sampling/distribution.ts'
import type { Engine } from '../engine.ts'
import { LogitsProcessor, tokenLogprob } from '../sampling/logits.ts'
import type { LogitRules, TokenLogprob } from '../sampling/logits.ts'
import { OutputText } from '../text/output.ts'
import { promptLogprobs } from './prompt-logprobs.ts'
import { Lengths, chooseSpeculator } from '../speculation/index.ts'
import { TokenNoise } from '../sampling/noise.ts'
import type { ModelRunner } from '../model-runner.ts'
import { SpeculationCounts } from '../speculation/accept.ts'
import { Branch, advance } from './branch.ts'
import type { Writer } from './branch.ts'
import { Tree } from './tree.ts'

/** Text is sent at most this often: a chunk a token would cost more than the token. */
const PIECE_MS = 20

export interface GenerateRequest {
  /** The model that writes. */
  runner: ModelRunner
  /** Only texts of the same salt share what was run of a prompt. Default: ''. */
  salt?: string | undefined
  /** Token ids; with `maxTokens` no more than the runner's capacity. */
  prompt: readonly number[]
  /** 0: the prompt is read, and nothing written. */
  maxTokens: number
  sampling: Sampling
  /** Strings that end the text. */
  stop: readonly string[]
  /** Where the prompt leaves off, if they count only in the answer. Default: they count in the whole text. */
  answerAfter?: ChannelState | undefined
  /** Tokens that end the text, beside the model's own. */
  stopTokens: ReadonlySet<number>
  /** The model's own end-of-text tokens do not end it. */
  ignoreEndOfText: boolean
  /** What ended the text is part of it. */
  includeStop: boolean
  /** Special tokens give no text. */
  skipSpecial: boolean
  rules: Omit<LogitRules, 'endTokens'>
  /** Likeliest tokens to report beside each token's own log probability; undefined reports none. */
  logprobs: number | undefined
  /** The same for the prompt's tokens, which are all run for it. Default: none are reported. */
  promptLogprobs?: number | undefined
  /** Tokens guessed per forward at most by n-gram lookup in the text; 0 is off. Default 8. */
  ngram?: number | undefined
  /** Tokens guessed per forward at most by the draft model, when the target writes; 0 is off. Default 16. */
  draft?: number | undefined
  /** Whether seed and place alone decide which token is drawn, whatever is guessed. Default: with a seed. */
  coupled?: boolean | undefined
}

/** Some more of the text. */
export interface Piece {
  text: string
  tokens: number[]
  /** One per token, if asked for. */
  logprobs: TokenLogprob[]
  /** On the first piece, if asked for: one per token of the prompt but the first. */
  promptLogprobs?: readonly TokenLogprob[] | undefined
  /** Set on the last piece. */
  ending: Ending | undefined
}

export interface Ending {
  reason: FinishReason
  /** The stop string or stop token that ended the text; null when the model or the limit did. */
  stop: string | number | null
  /** Tokens of the prompt that had been run before, for this text or another. */
  cachedTokens: number
  speculation: SpeculationCounts
}

/**
 * Writes until the text ends or the signal is aborted, which takes effect after the forward under way. Where slots are
 * short it waits. However it ends, all its slots are given back.
 * @throws {EngineError} `context_length_exceeded` when the pool is too small; {OnnxRuntimeError}; RangeError for scores that are no
 * numbers; the signal's reason
 */
export async function* generate(
  engine: Engine,
  request: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<Piece, void, undefined> {
  const {
    maxTokens,
    prompt,
    runner,
    salt,
    ngram = 8,
    draft = 16,
    coupled = request.sampling.seed !== undefined,
  } = request
  const parameters = samplingParameters(request.sampling, runner.model.generation, randomInt(2 ** 32))
  const writer = new TextWriter(request)
  const processor = new LogitsProcessor(
    { ...request.rules, endTokens: { [Symbol.iterator]: () => writer.endTokens() } },
    prompt,
  )
  const counts = new SpeculationCounts()
  const reduced = processor.neutral && request.logprobs === undefined ? reduction(parameters) : undefined
  const distributionOf = (scores: Scores, output: readonly number[]) =>
    distribution(processor.neutral ? scores : processor.apply(wholeLogits(scores), output), parameters)
  // A prompt that is measured is all run for that, and then found where it was left.
  const measured = request.promptLogprobs
  const tree = new Tree(runner, { signal, salt, most: maxTokens, reduced, counted: measured === undefined })
  const { arrival } = tree.lease.priority
  const speculator = chooseSpeculator(engine, new Lengths(), {
    runner,
    ngram,
    draft,
    arrival,
    salt,
    distribution: (scores, sequence) => distributionOf(scores, sequence.slice(prompt.length)),
    reduced,
    noise: new TokenNoise(parameters.seed),
    signal,
  })
  const branch = new Branch({
    tree,
    prefix: 0,
    writer,
    position: prompt.length,
    distribution: distributionOf,
    sampler: engine.sampler(parameters.seed, prompt.length, { coupled }),
    counts,
    speculator: () => speculator,
  })
  try {
    if (measured !== undefined)
      writer.read(await promptLogprobs(runner, prompt, { most: measured, arrival, salt, signal }))
    const [scores] = await tree.prefill(prompt, [], [0])
    signal.throwIfAborted()
    if (!writer.ended) branch.begin(() => scores!)
    let sentAt = 0
    while (!writer.ended) {
      if (writer.hasText && performance.now() - sentAt >= PIECE_MS) {
        yield writer.take()
        sentAt = performance.now()
      }
      const { tokens } = writer
      await branch.propose([...prompt, ...tokens], maxTokens - tokens.length - 1)
      await advance(tree, [branch])
      signal.throwIfAborted()
    }
    tree.commit(0, maxTokens > 0 ? branch.leaf : undefined)
    const cachedTokens = measured === undefined ? tree.cached : 0
    yield { ...writer.take(), ending: { ...writer.ending!, cachedTokens, speculation: counts } }
  } finally {
    branch.close()
    tree.release()
  }
}

/** Collects tokens, their text and log probabilities, and says when the text has ended. */
class TextWriter implements Writer {
  readonly tokens: number[] = []
  readonly #ownEnds: readonly number[]
  ending: Pick<Ending, 'reason' | 'stop'> | undefined
  readonly #request: GenerateRequest
  readonly #text: OutputText
  #piece: Piece = emptyPiece()

  constructor(request: GenerateRequest) {
    const { tokenizer, generation } = request.runner.model
    this.#request = request
    this.#ownEnds = request.ignoreEndOfText ? [] : generation.eosTokenIds
    this.#text = new OutputText(tokenizer, request.stop, { ...request, after: request.prompt })
    if (request.maxTokens === 0) this.#end({ reason: 'length', stop: null })
  }

  get ended(): boolean {
    return this.ending !== undefined
  }

  /** Tokens that end the text. */
  *endTokens(): Generator<number, void, undefined> {
    yield* this.#ownEnds
    yield* this.#request.stopTokens
  }

  get hasText(): boolean {
    return this.#piece.text !== ''
  }

  read(logprobs: readonly TokenLogprob[]): void {
    this.#piece.promptLogprobs = logprobs
  }

  push(token: number, scores: Scores): void {
    const { maxTokens, includeStop, stopTokens, rules, logprobs } = this.#request
    this.tokens.push(token)
    this.#piece.tokens.push(token)
    if (logprobs !== undefined) this.#piece.logprobs.push(tokenLogprob(wholeLogits(scores), token, logprobs))
    const isStop = stopTokens.has(token)
    const isEnd = isStop || this.#ownEnds.includes(token)
    if (!isEnd || includeStop) this.#piece.text += this.#text.push(token, this.tokens.length > rules.minTokens)
    if (isEnd) this.#end({ reason: 'stop', stop: isStop ? token : null })
    else if (this.#text.stopped || this.tokens.length >= maxTokens) this.#end({ reason: 'length', stop: null })
  }

  /** @param otherwise why the text ends, unless a stop string is in it, which may come to light only now */
  #end(otherwise: Pick<Ending, 'reason' | 'stop'>): void {
    this.#piece.text += this.#text.flush()
    const { stop } = this.#text
    this.ending = stop === undefined ? otherwise : { reason: 'stop', stop }
  }

  take(): Piece {
    const piece = this.#piece
    this.#piece = emptyPiece()
    return piece
  }
}

const emptyPiece = (): Piece => ({ text: '', tokens: [], logprobs: [], ending: undefined })
