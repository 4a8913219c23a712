import { setImmediate } from 'node:timers/promises'
import { parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { assertTokens, encode, renderChat } from '../../engine/text/prompt.ts'
import { callerOf } from '../caller.ts'
import type { Service } from '../service.ts'
import { servedModel } from './served-model.ts'
import { DetokenizeRequest, TokenizeRequest, templateOptions } from './chat-schemas.ts'

/** `POST /tokenize`: the token ids of a prompt, or of messages as the chat template renders them. */
export async function tokenize(service: Service, c: Context): Promise<Response> {
  const { prompt, messages, ...request } = parseRequest(TokenizeRequest, await readJson(c.req.raw))
  const served = servedModel(service.ready(), request.model)
  const special = request.add_special_tokens ?? prompt !== undefined
  return service.calls.answer(callerOf(c, service), async (call) => {
    const param = prompt === undefined ? 'messages' : 'prompt'
    const text = prompt ?? renderChat(served.runner, messages ?? [], templateOptions(request), param)
    const tokens = await encode(served.runner, text, param, {
      special,
      fenced: prompt === undefined,
      signal: call.signal,
    })
    call.reads(tokens.length)
    call.end()
    return c.json({ count: tokens.length, max_model_len: served.runner.capacity, tokens })
  })
}

/** `POST /detokenize`: the text of token ids, special tokens spelled out. */
export async function detokenize(service: Service, c: Context): Promise<Response> {
  const { model, tokens } = parseRequest(DetokenizeRequest, await readJson(c.req.raw))
  const served = servedModel(service.ready(), model)
  assertTokens(served.runner, tokens, 'tokens')
  const pieces = served.runner.model.tokenizer.decodeInPieces(tokens, { skipSpecial: false })
  return new Response(ReadableStream.from(promptOf(pieces)), { headers: { 'content-type': 'application/json' } })
}

/** A text as the answer's only field; others have a turn between its pieces. */
async function* promptOf(pieces: Iterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder()
  let before = '{"prompt":"'
  for (const piece of pieces) {
    yield encoder.encode(before + JSON.stringify(piece).slice(1, -1))
    before = ''
    await setImmediate()
  }
  yield encoder.encode('"}')
}
