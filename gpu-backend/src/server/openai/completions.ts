import { setImmediate } from 'node:timers/promises'
import { parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import type { TokenLogprob } from '../../engine/logits.ts'
import { assertTokens, encode, outputRoom } from '../../engine/prompt.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'
import type { Service } from '../service.ts'
import { answer } from './answer.ts'
import type { Dialect } from './answer.ts'
import { assertTexts, createJob } from './job.ts'
import type { IndexedPiece, Job, Prompt, ShownLogprobs } from './job.ts'
import { completionLogprobs, promptLogprobs } from './logprobs.ts'
import { Offsets } from './offsets.ts'
import { servedModel } from './served-model.ts'
import type { ServedModel } from './served-model.ts'
import { CompletionRequest } from './schemas.ts'

/** `POST /v1/completions`: goes on with each prompt as it stands. */
export async function completions(service: Service, c: Context): Promise<Response> {
  const request = parseRequest(CompletionRequest, await readJson(c.req.raw))
  const served = servedModel(service.ready(), request.model)
  return service.calls.answer(c.req.raw.signal, async (call) => {
    const prompts = await readPrompts(served, request, call.signal)
    const job = createJob(served, request, prompts, shownLogprobs(request))
    return answer(service, call, job, dialect(job, request), request)
  })
}

async function readPrompts(
  { decoder }: ServedModel,
  request: CompletionRequest,
  signal: AbortSignal,
): Promise<Prompt[]> {
  const { prompt: given, n, max_tokens, add_special_tokens: special } = request
  assertTexts(given.length, n)
  const prompts: Prompt[] = []
  for (const prompt of given) {
    // Others have a turn between them.
    if (prompts.length > 0) await setImmediate()
    if (typeof prompt !== 'string') assertTokens(decoder, prompt, 'prompt')
    const tokens = typeof prompt === 'string' ? await encode(decoder, prompt, 'prompt', { special, signal }) : prompt
    prompts.push({ tokens, maxTokens: outputRoom(decoder, tokens.length, max_tokens, 'prompt') })
  }
  return prompts
}

/** An echo with log probabilities shows those of the prompt too. */
function shownLogprobs({ echo, logprobs, prompt_logprobs }: CompletionRequest): ShownLogprobs {
  const most = Math.max((echo ? logprobs : undefined) ?? -1, prompt_logprobs ?? -1)
  return { logprobs, promptLogprobs: most < 0 ? undefined : most }
}

/** The text of tokens; of a character that they only begin, the output brings the rest. */
function unfinished(tokenizer: Tokenizer, tokens: readonly number[]): string {
  const decoder = tokenizer.streaming({ skipSpecial: false })
  return tokens.map((token) => decoder.push(token)).join('')
}

function dialect(job: Job, request: CompletionRequest): Dialect {
  const { echo, n, logprobs: most, prompt_logprobs, return_token_ids } = request
  const { tokenizer } = job.served.decoder.model
  const echoes = request.prompt.map((prompt) => (typeof prompt === 'string' ? prompt : unfinished(tokenizer, prompt)))
  const offsets = job.texts.map(
    ({ prompt, skipSpecial }) => new Offsets(tokenizer, echo ? [] : prompt, { skipSpecial }),
  )
  const begun = new Set<number>()
  /** By prompt; its first text brings them for all. */
  const read: (readonly TokenLogprob[])[] = []

  function choice({ index, text, tokens, logprobs, promptLogprobs: own, ending }: IndexedPiece): object {
    const first = !begun.has(index)
    begun.add(index)
    const prompt = Math.floor(index / n)
    const [head] = job.texts[index]!.prompt
    const reads = (read[prompt] ??= own ?? [])
    const echoed = first && echo ? [{ token: head! }, ...reads] : []
    const tokensShown = [...echoed, ...logprobs]
    const at = tokensShown.map(({ token }, i) => offsets[index]!.next(token, i >= echoed.length))
    const shown = most === undefined ? null : completionLogprobs(tokenizer, tokensShown, { offsets: at, most })
    return {
      index,
      text: first && echo ? echoes[prompt] + text : text,
      logprobs: shown,
      finish_reason: ending?.reason ?? null,
      stop_reason: ending?.stop ?? null,
      ...(return_token_ids && { token_ids: tokens }),
      ...(return_token_ids && first && { prompt_token_ids: job.texts[index]!.prompt }),
      ...(prompt_logprobs !== undefined &&
        first && { prompt_logprobs: promptLogprobs(tokenizer, reads, prompt_logprobs) }),
    }
  }

  return {
    id: 'cmpl',
    object: 'text_completion',
    chunkObject: 'text_completion',
    chunks: (piece) => [choice(piece)],
    choice,
    extra: () => ({}),
  }
}
