import { setImmediate } from 'node:timers/promises'
import type { Call } from '../calls.ts'
import type { Service } from '../service.ts'
import { streamOnceBegun } from '../stream.ts'
import type { Encoder } from '../stream.ts'
import { join } from './join.ts'
import type { Job } from './job.ts'
import { Account } from './usage.ts'
import { writeAll } from './write-all.ts'
import type { IndexedPiece } from './write-all.ts'

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

type Pieces = AsyncGenerator<IndexedPiece, void, undefined>

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
  if (options.stream) return streamOnceBegun(call, chunks(pieces, job, dialect, options), encoder)
  const body = await whole(pieces, job, dialect)
  call.end()
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

/** As long as some of its texts wait for slots, a call counts as queued. */
async function* startedWithAll(call: Call, pieces: Pieces, texts: number): Pieces {
  let begun = 0
  for await (const piece of pieces) {
    if (piece.isFirst && ++begun === texts) call.started()
    yield piece
  }
}

const header = (job: Job, id: string, object: string) => ({
  id: `${id}-${job.id}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: job.served.name,
})

async function whole(pieces: Pieces, job: Job, dialect: Dialect): Promise<string> {
  const usual = header(job, dialect.id, dialect.object)
  const texts = await join(pieces, { count: job.texts.length, entries: job.promptEntries })
  const account = new Account(job)
  const choices: string[] = []
  for (const text of texts) {
    // Each may be large: others have a turn between them.
    if (choices.length > 0) await setImmediate()
    account.add(text)
    choices.push(JSON.stringify(dialect.choice(text)))
  }
  const rest = { ...usual, ...account.fields, ...dialect.extra(texts[0]!) }
  return `${JSON.stringify(rest).slice(0, -1)},"choices":[${choices.join(',')}]}`
}

async function* chunks(
  pieces: Pieces,
  job: Job,
  dialect: Dialect,
  { stream_options }: AnswerOptions,
): AsyncGenerator<object, void, undefined> {
  const usual = header(job, dialect.id, dialect.chunkObject)
  const account = new Account(job)
  let extra: object | undefined
  for await (const piece of pieces) {
    account.add(piece)
    extra ??= dialect.extra(piece)
    const soFar = stream_options?.continuous_usage_stats ? account.usage : null
    for (const choice of dialect.chunks(piece)) {
      yield { ...usual, choices: [choice], ...(stream_options?.include_usage && { usage: soFar }), ...extra }
      extra = {}
    }
  }
  if (stream_options?.include_usage) yield { ...usual, choices: [], ...account.fields }
}

const data = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`

const encoder: Encoder<object> = { event: data, error: ({ body }) => data(body), end: 'data: [DONE]\n\n' }
