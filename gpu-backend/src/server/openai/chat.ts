import { ChannelSplitter, parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { ChannelDelta, ChannelState } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { chatChannels, encode, outputRoom, renderChat } from '../../engine/text/prompt.ts'
import { callerOf } from '../caller.ts'
import type { Service } from '../service.ts'
import { answer } from './answer.ts'
import type { Dialect } from './answer.ts'
import { createJob, entries } from './job.ts'
import type { Job } from './job.ts'
import { chatLogprobs, promptLogprobs } from './logprobs.ts'
import { servedModel } from './served-model.ts'
import { ChatRequest, templateOptions } from './chat-schemas.ts'
import type { IndexedPiece } from './write-all.ts'

/** `POST /v1/chat/completions`: answers a chat; what the model thinks before it answers comes apart, as `reasoning`. */
export async function chatCompletions(service: Service, c: Context): Promise<Response> {
  const request = parseRequest(ChatRequest, await readJson(c.req.raw))
  const served = servedModel(service.ready(), request.model)
  const caller = callerOf(c, service, request.cache_salt)
  return service.calls.answer(caller, async (call) => {
    const { messages } = request
    const options = templateOptions(request)
    const text = renderChat(served.runner, messages, options, 'messages')
    const tokens = await encode(served.runner, text, 'messages', { fenced: true, signal: call.signal })
    const asked = request.max_completion_tokens ?? request.max_tokens
    const maxTokens = outputRoom(served.runner, tokens.length, asked, 'messages')
    const channels = chatChannels(served.runner, text, messages, options, 'messages')
    const answerAfter = request.stop_in_reasoning ? undefined : channels
    const logprobs = request.logprobs ? (request.top_logprobs ?? 0) : undefined
    const most = request.prompt_logprobs
    const shown = { logprobs, promptLogprobs: most, perPromptToken: entries(most) }
    const job = { ...createJob(served, request, [{ tokens, maxTokens, answerAfter }], shown, caller.salt), channels }
    return answer(service, call, job, dialect(job, request, channels), request)
  })
}

function dialect(job: Job, request: ChatRequest, channels: ChannelState): Dialect {
  const { tokenizer } = job.served.runner.model
  const most = request.prompt_logprobs
  const splitters = job.texts.map(() => new ChannelSplitter(channels))

  const split = ({ index, text, ending }: IndexedPiece): ChannelDelta[] => {
    const splitter = splitters[index]!
    return [...splitter.push(text), ...(ending ? splitter.flush() : [])]
  }
  const details = ({ logprobs, tokens, ending }: IndexedPiece) => ({
    logprobs: request.logprobs ? chatLogprobs(tokenizer, logprobs) : null,
    finish_reason: ending?.reason ?? null,
    stop_reason: ending?.stop ?? null,
    ...(request.return_token_ids && { token_ids: tokens }),
  })

  return {
    id: 'chatcmpl',
    object: 'chat.completion',
    chunkObject: 'chat.completion.chunk',
    extra: (first) => ({
      ...(request.return_token_ids && { prompt_token_ids: job.texts[0]!.prompt }),
      ...(most !== undefined && { prompt_logprobs: promptLogprobs(tokenizer, first.promptLogprobs ?? [], most) }),
    }),
    /** The last delta of a piece carries what belongs to the whole piece. */
    chunks(piece) {
      const { index, isFirst } = piece
      const deltas: object[] = isFirst ? [{ role: 'assistant', content: '' }] : []
      for (const { channel, text } of split(piece))
        deltas.push(channel === 'reasoning' ? { reasoning: text } : { content: text })
      if (piece.ending) deltas.push({})
      const last = deltas.pop() ?? {}
      const none = { logprobs: null, finish_reason: null }
      return [...deltas.map((delta) => ({ index, delta, ...none })), { index, delta: last, ...details(piece) }]
    },
    choice(text) {
      const message = { role: 'assistant', content: '', refusal: null, reasoning: null as string | null }
      for (const delta of split(text))
        if (delta.channel === 'answer') message.content += delta.text
        else message.reasoning = (message.reasoning ?? '') + delta.text
      return { index: text.index, message, ...details(text) }
    },
  }
}
