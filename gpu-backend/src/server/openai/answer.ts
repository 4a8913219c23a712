import { setImmediate } from 'node:timers/promises'
import type { Call } from '../calls.ts'
import type { Service } from '../service.ts'
import { streamOnceBegun } from '../stream.ts'
import type { Encoder } from '../stream.ts'
import { join } from './join.ts'
import { writeAll } from './job.ts'
import type { IndexedPiece, Job } from './job.ts'
import { Account } from './usage.ts'

/** How one endpoint words its answers. */
export interface Dialect {
  /** Prefix of ids, and the `object` of an answer and of its chunks. */
  id: string
  object: string
  chunkObject: string
  /** The chunks that a piece makes: each an entry of `choices`. */
  chunks(piece: IndexedPiece): object[]
  /** A whole text as an entry of `choices`. */
  choice(text: IndexedPiece): object
  /** Fields of the answer, or of the first chunk, beside the usual ones. @param first text, or piece of one */
  extra(first: IndexedPiece): object
}

export interface AnswerOptions {
  stream: boolean
  stream_options?: { include_usage: boolean; continuous_usage_stats: boolean } | undefined
}

/** Answers with all texts of a job, as a stream or in one piece. What fails before the first text has a status of its own. */
export async function answer(
  service: Service,
  call: Call,
  job: Job,
  dialect: Dialect,
  options: AnswerOptions,
): Promise<Response> {
  call.reads(job.promptTokens)
  const pieces = startedWithAll(call, writeAll(service, job, call.signal), job.texts.length)
  const header = {
    id: `${dialect.id}-${job.id}`,
    object: options.stream ? dialect.chunkObject : dialect.object,
    created: Math.floor(Date.now() / 1000),
    model: job.served.name,
  }
  if (options.stream) return streamOnceBegun(call, toChunks(pieces, job, dialect, header, options), encoder)
  const texts = await join(pieces, { count: job.texts.length, entries: job.promptEntries })
  const account = new Account(job)
  const choices: string[] = []
  for (const text of texts) {
    // Each may be large: others have a turn between them.
    if (choices.length > 0) await setImmediate()
    account.add(text)
    choices.push(JSON.stringify(dialect.choice(text)))
  }
  const rest = JSON.stringify({ ...header, ...account.toJSON(), ...dialect.extra(texts[0]!) })
  call.end()
  return new Response(`${rest.slice(0, -1)},"choices":[${choices.join(',')}]}`, {
    headers: { 'content-type': 'application/json' },
  })
}

/** As long as some of its texts wait for slots, a call counts as queued. */
async function* startedWithAll(
  call: Call,
  pieces: AsyncGenerator<IndexedPiece, void, undefined>,
  texts: number,
): AsyncGenerator<IndexedPiece, void, undefined> {
  const begun = new Set<number>()
  for await (const piece of pieces) {
    if (begun.size < texts && begun.add(piece.index).size === texts) call.started()
    yield piece
  }
}

async function* toChunks(
  pieces: AsyncGenerator<IndexedPiece, void, undefined>,
  job: Job,
  dialect: Dialect,
  header: object,
  { stream_options }: AnswerOptions,
): AsyncGenerator<object, void, undefined> {
  const account = new Account(job)
  let extra: object | undefined
  for await (const piece of pieces) {
    account.add(piece)
    extra ??= dialect.extra(piece)
    const soFar = stream_options?.continuous_usage_stats ? account.usage : null
    for (const choice of dialect.chunks(piece)) {
      yield { ...header, choices: [choice], ...(stream_options?.include_usage && { usage: soFar }), ...extra }
      extra = {}
    }
  }
  if (stream_options?.include_usage) yield { ...header, choices: [], ...account.toJSON() }
}

const encoder: Encoder<object> = {
  event: data,
  error: ({ body }) => data(body),
  end: 'data: [DONE]\n\n',
}

function data(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}
