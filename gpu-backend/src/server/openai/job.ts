import { randomUUID } from 'node:crypto'
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import type { GenerateRequest } from '../../engine/decode/generate.ts'
import { assertTokens } from '../../engine/text/prompt.ts'
import type { ServedModel } from './served-model.ts'
import { MAX_TEXTS } from './schemas.ts'
import type { GenerationRequest } from './schemas.ts'

/** All texts of one request: `n` for each prompt, in this order. */
export interface Job {
  id: string
  served: ServedModel
  texts: GenerateRequest[]
  /** Texts for each prompt. */
  n: number
  promptTokens: number
  /** Log probabilities of prompts that the answer shows, over all choices. */
  promptEntries: number
  /** Where the prompt of a chat leaves off: its usage tells the tokens of thinking. */
  channels?: ChannelState
}

export interface Prompt extends Pick<GenerateRequest, 'answerAfter'> {
  tokens: number[]
  /** To be written after it. */
  maxTokens: number
}

export interface ShownLogprobs extends Pick<GenerateRequest, 'logprobs' | 'promptLogprobs'> {
  /** Log probabilities that the answer shows of each token of a prompt, over all choices. */
  perPromptToken: number
}

/** Of one answer, of prompts and output together: it is held whole, and more than once. */
export const MAX_LOGPROBS = 2 ** 18

/** Log probabilities shown of a token with its likeliest `most`; undefined shows none. */
export const entries = (most: number | undefined): number => (most === undefined ? 0 : 1 + most)

/** @throws {ProtocolError} 400 for more texts than one request may ask for */
export function assertTexts(prompts: number, n: number): void {
  if (prompts * n > MAX_TEXTS) refuse('n', `one request may ask for ${MAX_TEXTS} texts at most`)
}

/** @throws {ProtocolError} 400 for tokens the model does not have, when they leave none to write, and for an answer of too many log probabilities */
export function createJob(
  served: ServedModel,
  request: GenerationRequest,
  prompts: readonly Prompt[],
  logprobs: ShownLogprobs,
  salt = '',
): Job {
  const { n, seed } = request
  const bias = request.logit_bias
  assertTokens(served.runner, bias.keys(), 'logit_bias')
  const stopTokens = new Set(request.stop_token_ids)
  assertTokens(served.runner, stopTokens, 'stop_token_ids')
  assertWritable(served, request, stopTokens)
  for (const { maxTokens } of prompts) assertRoom(request.min_tokens, maxTokens)
  const { temperature, top_k: topK, top_p: topP, min_p: minP } = request
  const texts = prompts.flatMap(({ tokens, maxTokens, answerAfter }) =>
    Array.from({ length: n }, (_, i) => ({
      runner: served.runner,
      salt,
      prompt: tokens,
      maxTokens,
      // As in vLLM: texts of one prompt differ, and are the same again with the same seed.
      sampling: { temperature, topK, topP, minP, seed: seed === undefined ? undefined : seed + i },
      stop: request.stop,
      answerAfter,
      stopTokens,
      ignoreEndOfText: request.ignore_eos,
      includeStop: request.include_stop_str_in_output,
      skipSpecial: request.skip_special_tokens,
      rules: {
        presencePenalty: request.presence_penalty,
        frequencyPenalty: request.frequency_penalty,
        repetitionPenalty: request.repetition_penalty ?? served.runner.model.generation.repetitionPenalty ?? 1,
        bias,
        minTokens: request.min_tokens,
      },
      logprobs: logprobs.logprobs,
      // The prompt's other texts come after the first.
      promptLogprobs: i === 0 ? logprobs.promptLogprobs : undefined,
      ...request.speculation,
    })),
  )
  const promptTokens = prompts.reduce((sum, { tokens }) => sum + tokens.length, 0)
  const promptEntries = promptTokens * logprobs.perPromptToken
  if (promptEntries > MAX_LOGPROBS)
    refuse(
      'prompt',
      `one request may ask for ${MAX_LOGPROBS} log probabilities of prompts at most: send fewer at a time`,
    )
  return { id: randomUUID(), served, texts, n, promptTokens, promptEntries }
}

/** Before `min_tokens` no text may end. */
function assertWritable(
  { runner }: ServedModel,
  { min_tokens, ignore_eos }: GenerationRequest,
  stopTokens: ReadonlySet<number>,
): void {
  const { config, generation } = runner.model
  const own = ignore_eos ? [] : generation.eosTokenIds.filter((token) => !stopTokens.has(token))
  if (min_tokens > 0 && stopTokens.size + own.length >= config.vocabSize)
    refuse('stop_token_ids', 'every token ends the text, and with min_tokens none could be written: name fewer')
}

function assertRoom(minTokens: number, maxTokens: number): void {
  if (minTokens > maxTokens)
    refuse('min_tokens', `${minTokens} are more than the ${maxTokens} tokens that may be written`)
}

function refuse(param: string, reason: string): never {
  throw new ProtocolError(400, 'invalid_request', `${param}: ${reason}`, { param })
}
