import type { Area } from '../mutant.ts'

const journal = 'worker/src/stored/journal.ts'
const log = 'worker/src/stored/event-log.ts'
const object = 'worker/src/stored/run-object.ts'
const askRun = 'worker/src/stored/ask-run.ts'
const events = 'sdk/src/stored-events.ts'
const report = 'worker/src/lookahead/report.ts'
const goingOnTest = 'worker/src/lookahead/going-on.test.ts'
const journalTest = 'worker/test/journal.test.ts'
const storedTest = 'worker/test/stored.test.ts'
const sdkTest = 'sdk/src/stored.test.ts'

export const stored: Area = {
  name: 'stored runs',
  mutants: [
    {
      file: journal,
      from: '    await this.#storage.sync()\n',
      to: '',
      means: 'events are told before they are on disk',
      tests: [journalTest],
    },
    {
      file: journal,
      from: 'if (this.#isOver ||',
      to: 'if (this.endedAt !== undefined ||',
      means: 'a viewer who has caught up misses the terminal event',
      tests: [journalTest],
    },
    {
      file: journal,
      from: '      if (waiting.events.length + waiting.progress.length >= MOST_WAITING) await storing\n',
      to: '',
      means: 'a slow disk fills memory',
      tests: [journalTest],
    },
    {
      file: journal,
      from: '      if (failure) break\n',
      to: '',
      means: 'a run goes on though nothing can be stored',
      tests: [journalTest],
    },
    {
      file: log,
      from: '.slice(from - Number(batch.first))',
      to: '',
      means: 'a viewer who comes back in the middle of a batch reads its beginning twice',
      tests: [journalTest],
    },
    {
      file: log,
      from: 'WHERE next > ?',
      to: 'WHERE first >= ?',
      means: 'a viewer who comes back in the middle of a batch misses its rest',
      tests: [journalTest],
    },
    {
      file: journal,
      from: "if (event.type !== 'progress' && !isTerminal(event)) continue",
      to: '',
      means: 'events are told that nobody could go on after',
      tests: [journalTest],
    },
    {
      file: journal,
      from: '      this.#begun.clear()\n',
      to: '',
      means: 'what a run has said is kept twice',
      tests: [journalTest],
    },
    {
      file: report,
      from: 'event.ids?.slice(said)',
      to: 'event.ids',
      means: 'a run that is taken up goes on from tokens that are there twice',
      tests: [goingOnTest],
    },
    {
      file: report,
      from: 'untold: [...this.#correction(sofar)]',
      to: 'untold: []',
      means: 'the step that the target was writing is missing where the run is taken up',
      tests: [goingOnTest],
    },
    {
      file: report,
      from: '...this.#output.after(sofar),',
      to: '...this.#output.after({ tokens: 0, steps: 0, reasoningTokens: 0 }),',
      means: 'a run that is taken up may write more tokens than it was asked for',
      tests: [goingOnTest],
    },
    {
      file: 'worker/src/lookahead/output.ts',
      from: '    this.#splitter!.push(said.text)\n',
      to: '',
      means: 'a tag that was half said is text where the run is taken up',
      tests: [goingOnTest],
    },
    {
      file: 'worker/src/lookahead/cycle.ts',
      from: 'if (finish) return yield* this.#report.end(finish)\n      yield*',
      to: 'yield*',
      means: 'a text that had ended is written on',
      tests: [goingOnTest],
    },
    {
      file: object,
      from: 'if (!order || (!begun && length > 0) || losses > MOST_LOSSES) return',
      to: 'if (true) return',
      means: 'a run ends with its object',
      tests: [storedTest],
    },
    {
      file: object,
      from: '    return this.#end(interrupted)\n',
      to: '    return Promise.resolve()\n',
      means: 'a run that cannot be taken up never ends',
      tests: [storedTest],
    },
    {
      file: object,
      from: '    this.ctx.storage.kv.put(CANCELLED, true)\n',
      to: '',
      means: 'a cancel is forgotten with its object',
      tests: ['worker/test/lost-object.test.ts'],
    },
    {
      file: object,
      from: 'known && known.fingerprint !== order.fingerprint',
      to: 'known && false',
      means: 'another request with the same key is answered with the first one’s run',
      tests: [storedTest],
    },
    {
      file: object,
      from: '    yield cancelled\n',
      to: '',
      means: 'a cancelled run has no terminal event',
      tests: [storedTest],
    },
    {
      file: object,
      from: '>= endedAt + this.#retentionMs) await this.ctx.storage.deleteAll()',
      to: '>= endedAt + this.#retentionMs) return',
      means: 'runs are kept for ever',
      tests: [storedTest],
    },
    {
      file: askRun,
      from: 'const id = key === undefined ? c.var.requestId :',
      to: 'const id = key !== undefined ? c.var.requestId :',
      means: 'a request that is sent again begins another run',
      tests: [storedTest],
    },
    {
      file: events,
      from: '          next++\n',
      to: '',
      means: 'a connection that is made again begins from the first event',
      tests: [sdkTest],
    },
    {
      file: events,
      from: "headers: { 'idempotency-key': randomKey() }",
      to: 'headers: {}',
      means: 'a request that is sent again begins another run, without a key',
      tests: [sdkTest],
    },
    {
      file: events,
      from: "error.kind === 'run_failed'",
      to: 'false',
      means: 'a run that has failed is asked for again',
      tests: [sdkTest],
    },
    {
      file: events,
      from: "error.kind === 'stream_interrupted' ? backoff(failures) : ",
      to: '',
      means: 'an event that was garbled on its way ends the run',
      tests: [sdkTest],
    },
    {
      file: events,
      from: 'if (isCancelled()) void cancel',
      to: 'if (false) void cancel',
      means: 'a stored run that is cancelled goes on',
      tests: [sdkTest],
    },
    {
      file: events,
      from: 'if (isCancelled()) void',
      to: 'void',
      means: 'a stored run that is left ends',
      tests: [sdkTest],
    },
  ],
}
