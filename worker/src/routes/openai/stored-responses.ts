/** Responses that are stored, after they were begun. @see https://platform.openai.com/docs/api-reference/responses/get */
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { App } from '../../settings.ts'
import { endRun, eventsByNow, followRun, recallRun } from '../../stored/read-run.ts'
import { notFound } from '../../stored/record.ts'
import { firstWanted } from '../stored-runs.ts'
import { wordedStream } from './answer.ts'
import { ResponseEncoder } from './response-encoder.ts'
import type { ResponseOptions } from './response-encoder.ts'

export const storedResponses = new Hono<App>()

storedResponses.get('/v1/responses/:id', async (c) => {
  // Worded from the first event on, so that each has the number that it had.
  const words = await wordsOf(c, firstWanted(c))
  if (c.req.query('stream') === 'true') return wordedStream(await followRun(c, idOf(c)), words)
  return c.json(words.whole(await eventsByNow(c, idOf(c))))
})

storedResponses.post('/v1/responses/:id/cancel', async (c) => {
  const words = await wordsOf(c)
  await endRun(c, idOf(c), 'cancel')
  return c.json(words.whole(await eventsByNow(c, idOf(c))))
})

storedResponses.delete('/v1/responses/:id', async (c) => {
  await wordsOf(c)
  await endRun(c, idOf(c), 'delete')
  return c.json({ id: c.req.param('id'), object: 'response', deleted: true })
})

/** @throws {ProtocolError} 404 `run_not_found`, also for a run that was asked for in another dialect */
async function wordsOf(c: Context<App>, from = 0): Promise<ResponseEncoder> {
  const { created, note } = await recallRun(c, idOf(c))
  if (!note) throw notFound()
  return new ResponseEncoder({ id: idOf(c), created }, note as ResponseOptions, from)
}

const idOf = (c: Context<App>): string => /^resp_(.*)$/.exec(c.req.param('id') ?? '')?.[1] ?? ''
