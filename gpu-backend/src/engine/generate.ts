/** Plain decoding with token speculation: one text, written from a prompt to its end. */
import { randomInt } from 'node:crypto'
import type { ChannelState, FinishReason, Sampling } from '@lookahead/sdk/protocol'
import { wholeLogits } from '../model/index.ts'
import type { Scores } from '../model/index.ts'
import { distribution, reduction, sample, samplingParameters } from './distribution.ts'
import type { Engine } from './engine.ts'
import { LogitsProcessor, tokenLogprob } from './logits.ts'
import type { LogitRules, TokenLogprob } from './logits.ts'
import { OutputText } from './output.ts'
import { promptLogprobs } from './prompt-logprobs.ts'
import { Lengths, chooseSpeculator } from './proposers/index.ts'
import { Random, streams } from './random.ts'
import type { Decoder } from './decoder.ts'
import { SpeculationCounts, accept } from './speculation.ts'
import type { Guess } from './speculation.ts'
import { Tree } from './tree.ts'

/** Text is sent at most this often: a chunk a token would cost more than the token. */
const PIECE_MS = 20

export interface GenerateRequest {
  /** The model that writes. */
  decoder: Decoder
  /** Token ids; with `maxTokens` no more than the decoder's capacity. */
  prompt: readonly number[]
  /** 0: the prompt is read, and nothing written. */
  maxTokens: number
  sampling: Sampling
  /** Strings that end the text. */
  stop: readonly string[]
  /** Where the prompt leaves off, if they count only in the answer. Default: they count in the whole text. */
  answerAfter?: ChannelState | undefined
  /** Tokens that end the text, beside the model's own. */
  stopTokens: readonly number[]
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
 * @throws {ProtocolError} 400 `context_length_exceeded` when the pool is too small; {OnnxRuntimeError}; RangeError for scores that are no
 * numbers; the signal's reason
 */
export async function* generate(
  engine: Engine,
  request: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<Piece, void, undefined> {
  const { maxTokens, prompt, decoder, ngram = 8, draft = 16 } = request
  const parameters = samplingParameters(request.sampling, decoder.model.generation, randomInt(2 ** 32))
  const random = new Random(parameters.seed, streams.text)
  const writer = new Writer(request)
  const processor = new LogitsProcessor({ ...request.rules, endTokens: writer.endTokens }, prompt)
  const speculation = new SpeculationCounts()
  const { logprobs } = request
  const reduced = processor.neutral && logprobs === undefined ? reduction(parameters) : undefined
  const draw = (scores: Scores, output: readonly number[]) =>
    distribution(processor.neutral ? scores : processor.apply(wholeLogits(scores), output), parameters)
  // A prompt that is measured is all run for that, and then found where it was left.
  const measured = request.promptLogprobs
  const tree = new Tree(decoder, { signal, most: maxTokens, reduced, counted: measured === undefined })
  const speculator = chooseSpeculator(engine, {
    decoder,
    lengths: new Lengths(),
    ngram,
    draft,
    seeded: request.sampling.seed !== undefined,
    came: tree.age.came,
    distribution: (scores, text) => draw(scores, text.slice(prompt.length)),
    reduced,
    random: new Random(parameters.seed, streams.guesses),
    signal,
  })
  const leaf = tree.leaf(0)
  try {
    let guesses: Guess[] = []
    if (measured !== undefined)
      writer.read(await promptLogprobs(decoder, prompt, { most: measured, came: tree.age.came, signal }))
    let rows = await tree.prefill(prompt, [], [0])
    let sentAt = 0
    while (!writer.ended) {
      signal.throwIfAborted()
      const { output } = writer
      const guessed = guesses.map(({ token }) => token)
      const p = (i: number) => draw(rows[i]!, [...output, ...guessed.slice(0, i)])
      const { accepted, next } = accept(guesses, p, random, (last) => sample(last, random.next()))
      const run = leaf.tokens.length - guesses.length + accepted
      const before = output.length
      for (const [i, token] of [...guessed.slice(0, accepted), next!].entries()) {
        writer.push(token, logprobs === undefined ? undefined : tokenLogprob(wholeLogits(rows[i]), token, logprobs))
        if (writer.ended) break
      }
      tree.trim(leaf, Math.min(run, output.length))
      speculation.add(guesses.length, Math.min(accepted, output.length - before))
      speculator.observe(guesses.length, accepted)
      if (writer.ended) break
      if (writer.hasText && performance.now() - sentAt >= PIECE_MS) {
        yield writer.take()
        sentAt = performance.now()
      }
      const text = [...prompt, ...output]
      guesses = await speculator.propose(text, maxTokens - output.length - 1)
      const tokens = [text.at(-1)!, ...guesses.map(({ token }) => token)]
      const [scores] = await tree.advance([{ leaf, tokens }])
      rows = scores!
    }
    tree.commit(0, leaf)
    const cachedTokens = measured === undefined ? tree.cached : 0
    yield { ...writer.take(), ending: { ...writer.ended, cachedTokens, speculation } }
  } finally {
    speculator.close()
    tree.release()
  }
}

/** Collects tokens, their text and log probabilities, and says when the text has ended. */
class Writer {
  readonly output: number[] = []
  readonly endTokens: ReadonlySet<number>
  ended: Pick<Ending, 'reason' | 'stop'> | undefined
  readonly #request: GenerateRequest
  readonly #text: OutputText
  #piece: Piece = emptyPiece()

  constructor(request: GenerateRequest) {
    const { tokenizer, generation } = request.decoder.model
    this.#request = request
    this.endTokens = new Set([...(request.ignoreEndOfText ? [] : generation.eosTokenIds), ...request.stopTokens])
    this.#text = new OutputText(tokenizer, request.stop, { ...request, after: request.prompt })
    if (request.maxTokens === 0) this.#end({ reason: 'length', stop: null })
  }

  get hasText(): boolean {
    return this.#piece.text !== ''
  }

  read(logprobs: readonly TokenLogprob[]): void {
    this.#piece.promptLogprobs = logprobs
  }

  push(token: number, logprob: TokenLogprob | undefined): void {
    const { maxTokens, includeStop, stopTokens, rules } = this.#request
    this.output.push(token)
    this.#piece.tokens.push(token)
    if (logprob) this.#piece.logprobs.push(logprob)
    const isEnd = this.endTokens.has(token)
    if (!isEnd || includeStop) this.#piece.text += this.#text.push(token, this.output.length > rules.minTokens)
    if (isEnd) this.#end({ reason: 'stop', stop: stopTokens.includes(token) ? token : null })
    else if (this.#text.stopped || this.output.length >= maxTokens) this.#end({ reason: 'length', stop: null })
  }

  /** @param otherwise why the text ends, unless a stop string is in it, which may come to light only now */
  #end(otherwise: Pick<Ending, 'reason' | 'stop'>): void {
    this.#piece.text += this.#text.flush()
    const { stop } = this.#text
    this.ended = stop === undefined ? otherwise : { reason: 'stop', stop }
  }

  take(): Piece {
    const piece = this.#piece
    this.#piece = emptyPiece()
    return piece
  }
}

const emptyPiece = (): Piece => ({ text: '', tokens: [], logprobs: [], ending: undefined })
