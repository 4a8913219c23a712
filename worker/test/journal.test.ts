/** The journal of a stored run, on SQLite whose disk the test holds back. */
import { DatabaseSync } from 'node:sqlite'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import type { Checkpoint, Progress } from '../src/lookahead/index.ts'
import { Journal } from '../src/stored/journal.ts'
import type { Storage } from '../src/stored/storage.ts'

const delta = (text: string): RunEvent => ({ type: 'text.delta', channel: 'answer', text })
/** An event that no progress comes after. */
const uncovered = delta('?')
const checkpoint = { tokens: 1 } as Checkpoint
const progress: Progress = { type: 'progress', checkpoint, said: { ids: [7], text: 't' } }
const end: RunEvent = { type: 'run.failed', code: 'target_failed', message: 'm' }

/** A disk that is done with what was written when `flush` is called, or breaks. */
function heldDisk() {
  const database = new DatabaseSync(':memory:')
  const values = new Map<string, unknown>()
  const waiting: PromiseWithResolvers<void>[] = []
  const storage: Storage = {
    sql: {
      exec(query, ...given) {
        const found = database.prepare(query).all(...given)
        return { toArray: () => found }
      },
    },
    kv: { get: (key) => values.get(key), put: (key, value) => void values.set(key, value) },
    sync() {
      waiting.push(Promise.withResolvers())
      return waiting.at(-1)!.promise
    },
  }
  const rows = () => database.prepare('SELECT count(*) AS n FROM batches').get()!.n
  // What the journal is about to do has had time to be done.
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5))
  const flush = async () => {
    await settle()
    for (const { resolve } of waiting.splice(0)) resolve()
    await settle()
  }
  return { storage, rows, flush, broken: (error: Error) => waiting.splice(0).forEach(({ reject }) => reject(error)) }
}

/** Events that a test hands out one by one. */
function source() {
  const ready: RunEvent[] = []
  let taken = 0
  let wake = Promise.withResolvers<void>()
  async function* events(): AsyncGenerator<RunEvent | Progress, void, undefined> {
    for (;;) {
      for (let event = ready.shift(); event; event = ready.shift()) {
        taken++
        yield event
        if (event === end) return
        if (event !== uncovered) yield progress
      }
      await wake.promise
      wake = Promise.withResolvers()
    }
  }
  const say = (...said: RunEvent[]) => {
    ready.push(...said)
    wake.resolve()
  }
  return { events: events(), say, taken: () => taken }
}

function open() {
  const disk = heldDisk()
  const journal = new Journal(disk.storage)
  journal.open()
  const from = source()
  const written = journal.write(from.events)
  written.catch(() => undefined)
  return { ...disk, ...from, journal, written }
}

/** Collects what is told from an event on. */
function listen(journal: Journal, first = 0) {
  const told: RunEvent[] = []
  const follower = journal.follow(first)
  const over = (async () => {
    for await (const event of follower) told.push(event)
  })()
  return { told, follower, over }
}

describe('a journal', () => {
  test('tells nothing that is not on disk, and stores in one batch what came meanwhile', async () => {
    const { journal, say, flush, rows, written } = open()
    const { told, over } = listen(journal)
    say(delta('a'))
    say(delta('b'), delta('c'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([told, journal.length]).toEqual([[], 0])
    await flush()
    expect(told).toEqual([delta('a')])
    say(end)
    await flush()
    await flush()
    await Promise.all([written, over])
    expect(told).toEqual([delta('a'), delta('b'), delta('c'), end])
    expect(Number(rows())).toBeLessThan(4)
    expect([...journal.stored()]).toEqual(told)
  })

  test('stores an event with the progress that covers it, and none without, until the run is over', async () => {
    const { journal, say, flush } = open()
    say(delta('a'), uncovered)
    for (let i = 0; i < 3; i++) await flush()
    expect([[...journal.stored()], journal.begun]).toEqual([
      [delta('a')],
      { checkpoint, said: { ids: [7], text: 't' } },
    ])
    say(delta('b'))
    for (let i = 0; i < 3; i++) await flush()
    expect([...journal.stored()]).toEqual([delta('a'), uncovered, delta('b')])
    expect(journal.begun?.said).toEqual({ ids: [7, 7], text: 'tt' })
    say(end)
    for (let i = 0; i < 3; i++) await flush()
    expect([journal.isOver, journal.begun]).toEqual([true, undefined])
  })

  test('begins in the middle of a batch, and ends at once where all is told', async () => {
    const { journal, say, flush, written } = open()
    say(delta('a'), delta('b'), delta('c'), end)
    for (let i = 0; i < 3; i++) await flush()
    await written
    for (const from of [0, 1, 2, 3, 4]) {
      const { told, over } = listen(journal, from)
      await over
      expect(told).toEqual([delta('a'), delta('b'), delta('c'), end].slice(from))
    }
  })

  test('can be left while nothing comes, and goes on for others', async () => {
    const { journal, say, flush } = open()
    const [one, other] = [listen(journal), listen(journal)]
    say(delta('a'))
    await flush()
    await one.follower.return()
    await one.over
    say(end)
    await flush()
    await other.over
    expect([one.told, other.told]).toEqual([[delta('a')], [delta('a'), end]])
  })

  test('makes a run wait for a disk that is slow, not for a reader that is', async () => {
    const { journal, say, taken, flush, written } = open()
    const slow = journal.follow(0)
    say(...Array.from({ length: 2000 }, () => delta('x')), end)
    await flush()
    expect(taken()).toBeLessThan(600)
    while (journal.endedAt === undefined) await flush()
    await flush()
    await written
    expect(taken()).toBe(2001)
    expect((await slow.next()).value).toEqual(delta('x'))
  })

  test('fails with its disk, and tells nothing more', async () => {
    const { journal, say, broken, written } = open()
    const { told } = listen(journal)
    say(delta('a'))
    await new Promise((resolve) => setTimeout(resolve, 5))
    broken(new Error('disk'))
    say(delta('b'))
    await expect(written).rejects.toThrow('disk')
    expect(told).toEqual([])
  })
})
