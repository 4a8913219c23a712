import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import type { Lookahead } from '../client.ts'
import type { RunEvent } from '../protocol/runs.ts'
import type { RunStream } from '../run-stream.ts'
import { toCallError } from './call-error.ts'
import type { LookaheadSettings } from './settings.ts'
import { toRequest } from './request.ts'
import { StreamParts } from './stream-parts.ts'
import { gather } from './gather.ts'

export interface ModelOptions {
  client: Lookahead
  /** Where runs are asked for; for errors. */
  url: string
  modelId: string
  settings: LookaheadSettings
}

export function languageModel({ client, url, modelId, settings }: ModelOptions): LanguageModelV4 {
  async function doStream(options: LanguageModelV4CallOptions) {
    const { request, warnings } = toRequest(options, settings)
    const { abortSignal } = options
    const failed = (error: unknown) => toCallError(error, { url, request, abortSignal })
    const run = client.runs.stream(request, { signal: abortSignal })
    const events = run[Symbol.asyncIterator]()
    // Read ahead: what is refused before it begins fails the call, and the AI SDK may repeat it.
    const first = await events.next().catch((error: unknown) => {
      throw failed(error)
    })
    const parts = new StreamParts({ modelId, warnings })
    const stream = partStream(run, first, events, parts, failed)
    return { stream, request: { body: request } }
  }

  return {
    specificationVersion: 'v4',
    provider: 'lookahead',
    modelId,
    supportedUrls: {},
    doStream,
    async doGenerate(options) {
      const { stream, request } = await doStream(options)
      return { ...(await gather(stream)), request }
    },
  }
}

function partStream(
  run: RunStream,
  first: IteratorResult<RunEvent, void>,
  rest: AsyncIterator<RunEvent, void>,
  parts: StreamParts,
  failed: (error: unknown) => unknown,
): ReadableStream<LanguageModelV4StreamPart> {
  let next: Promise<IteratorResult<RunEvent, void>> | undefined = Promise.resolve(first)
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await (next ?? rest.next())
        next = undefined
        if (done) return controller.close()
        const made = parts.of(value)
        for (const part of made) controller.enqueue(part)
        // Something must come of a pull, or there is no other.
        if (made.length === 0) controller.enqueue({ type: 'ping' })
      } catch (error) {
        controller.enqueue({ type: 'error', error: failed(error) })
        controller.close()
      }
    },
    cancel: () => run.cancel(),
  })
}
