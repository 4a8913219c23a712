import { setImmediate } from 'node:timers/promises'
import { parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import type { TokenLogprob } from '../../engine/sampling/logits.ts'
import { assertTokens, encode, outputRoom } from '../../engine/text/prompt.ts'
import { callerOf } from '../caller.ts'
import type { Service } from '../service.ts'
import { answer } from './answer.ts'
import type { Dialect } from './answer.ts'
import { assertTexts, createJob, entries } from './job.ts'
import type { Job, Prompt, ShownLogprobs } from './job.ts'
import { completionEntry, completionLogprobs, promptLogprobs } from './logprobs.ts'
import type { FirstToken } from './logprobs.ts'
import { Offsets } from './offsets.ts'
import { servedModel } from './served-model.ts'
import type { ServedModel } from './served-model.ts'
import { CompletionRequest } from './schemas.ts'
import type { IndexedPiece } from './write-all.ts'

/** `POST /v1/completions`: goes on with each prompt as it stands. */
export async function completions(service: Service, c: Context): Promise<Response> {
  const request = parseRequest(CompletionRequest, await readJson(c.req.raw))
  const served = servedModel(service.ready(), request.model)
  const caller = callerOf(c, service, request.cache_salt)
  return service.calls.answer(caller, async (call) => {
    const prompts = await readPrompts(served, request, call.signal)
    const job = createJob(served, request, prompts, shownLogprobs(request), caller.salt)
    return answer(service, call, job, dialect(job, request), request)
  })
}

async function readPrompts(
  { runner }: ServedModel,
  request: CompletionRequest,
  signal: AbortSignal,
): Promise<Prompt[]> {
  const { prompt: given, n, max_tokens, add_special_tokens: special } = request
  assertTexts(given.length, n)
  const prompts: Prompt[] = []
  for (const prompt of given) {
    // Others have a turn between them.
    if (prompts.length > 0) await setImmediate()
    if (typeof prompt !== 'string') assertTokens(runner, prompt, 'prompt')
    const tokens = typeof prompt === 'string' ? await encode(runner, prompt, 'prompt', { special, signal }) : prompt
    prompts.push({ tokens, maxTokens: outputRoom(runner, tokens.length, max_tokens, 'prompt') })
  }
  return prompts
}

/** An echo with log probabilities shows those of the prompt too. */
function shownLogprobs({ echo, n, logprobs, prompt_logprobs }: CompletionRequest): ShownLogprobs {
  const echoed = echo ? logprobs : undefined
  const most = Math.max(echoed ?? -1, prompt_logprobs ?? -1)
  const perPromptToken = n * (entries(echoed) + entries(prompt_logprobs))
  return { logprobs, promptLogprobs: most < 0 ? undefined : most, perPromptToken }
}

function dialect(job: Job, request: CompletionRequest): Dialect {
  const { echo, n, logprobs: most, prompt_logprobs, return_token_ids } = request
  const { tokenizer } = job.served.runner.model
  // Of a character that a prompt of tokens only begins, the output brings the rest.
  const echoOf = (prompt: string | readonly number[]): string =>
    typeof prompt === 'string' ? prompt : tokenizer.streaming({ skipSpecial: false }).pushAll(prompt)
  const offsets = job.texts.map(
    ({ prompt, skipSpecial }) => new Offsets(tokenizer, echo ? [] : prompt, { skipSpecial }),
  )
  const toEntries = (tokens: readonly (TokenLogprob | FirstToken)[]) =>
    most === undefined ? [] : tokens.map((token) => completionEntry(tokenizer, token, most))

  const show = ([head]: readonly number[], reads: readonly TokenLogprob[]) => {
    const tokens = echo ? [{ token: head! }, ...reads] : []
    const shown = prompt_logprobs !== undefined && promptLogprobs(tokenizer, reads, prompt_logprobs)
    return { tokens, entries: toEntries(tokens), shown }
  }
  /** What is shown of each prompt, worded once for all its texts: its log probabilities come with the first piece of the first. */
  const prompts: ReturnType<typeof show>[] = []

  function choice({ index, isFirst, text, tokens, logprobs, promptLogprobs: own, ending }: IndexedPiece): object {
    const prompt = Math.floor(index / n)
    const read = (prompts[prompt] ??= show(job.texts[index]!.prompt, own ?? []))
    const echoed = isFirst ? read : { tokens: [], entries: [] }
    const at = [
      ...echoed.tokens.map(({ token }) => offsets[index]!.next(token, false)),
      ...logprobs.map(({ token }) => offsets[index]!.next(token)),
    ]
    const shown = most === undefined ? null : completionLogprobs([...echoed.entries, ...toEntries(logprobs)], at)
    return {
      index,
      text: isFirst && echo ? echoOf(request.prompt[prompt]!) + text : text,
      logprobs: shown,
      finish_reason: ending?.reason ?? null,
      stop_reason: ending?.stop ?? null,
      ...(return_token_ids && { token_ids: tokens }),
      ...(return_token_ids && isFirst && { prompt_token_ids: job.texts[index]!.prompt }),
      ...(isFirst && read.shown && { prompt_logprobs: read.shown }),
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
