import type { Area } from '../mutant.ts'

const startRun = 'worker/src/start-run.ts'
const native = 'worker/src/upstreams/native.ts'
const nativeContext = 'worker/src/upstreams/native-context.ts'
const nativeWire = 'worker/src/upstreams/native-wire.ts'
const nativeRetry = 'worker/src/upstreams/native-retry.ts'
const nativeCall = 'worker/src/upstreams/native-call.ts'
const index = 'worker/src/upstreams/index.ts'
const runsTest = 'worker/test/runs.test.ts'
const nativeCallTest = 'worker/src/upstreams/native-call.test.ts'
const nativeTest = 'worker/src/upstreams/native.test.ts'
const faultsTest = 'worker/src/lookahead/faults.test.ts'
const runTest = 'worker/src/lookahead/run.test.ts'
const appTest = 'worker/test/app.test.ts'

const report = 'worker/src/lookahead/report.ts'
const cycleRecord = 'worker/src/lookahead/cycle-record.ts'
const cycle = 'worker/src/lookahead/cycle.ts'
const cycleRecordTest = 'worker/src/lookahead/cycle-record.test.ts'
const outlivingTest = 'worker/src/lookahead/outliving.test.ts'

export const worker: Area = {
  name: 'worker',
  mutants: [
    {
      file: startRun,
      from: '  c.executionCtx.waitUntil(over.promise.then(leave))\n',
      to: '',
      means: 'the worker is dropped before it can tell the backend',
      tests: [runsTest],
    },
    {
      file: startRun,
      from: '        if (result.done) over()\n        else ',
      to: '        if (!result.done) ',
      means: 'the runtime waits for ever for a run that is complete',
      tests: [runsTest],
    },
    {
      file: startRun,
      from: '        over()\n        if (!gone',
      to: '        if (!gone',
      means: 'the runtime waits for ever for a run whose connection closed',
      tests: [runsTest],
    },
    {
      file: startRun,
      from: '    } finally {\n      over()\n',
      to: '    } finally {\n      void 0\n',
      means: 'the runtime waits for ever for a run that its client left',
      tests: [runsTest],
    },
    {
      file: startRun,
      from: 'return await events.return()',
      to: 'return { done: true, value: undefined }',
      means: 'leaving that is seen by the stream’s cancel is ignored',
      tests: [runsTest],
    },
    {
      file: startRun,
      from: '    signal,\n',
      to: '    signal: new AbortController().signal,\n',
      means: 'leaving that is seen by the request’s signal is ignored',
      tests: [runsTest],
    },
    {
      file: nativeRetry,
      from: "begun ||= event.type !== 'context'",
      to: "begun ||= event.type === 'verdict'",
      means: 'a call whose text is out is repeated',
      tests: [outlivingTest],
    },
    {
      file: nativeRetry,
      from: "begun ||= event.type !== 'context'",
      to: 'begun ||= true',
      means: 'a call that found no room after its context is not repeated',
      tests: [faultsTest],
    },
    {
      file: nativeRetry,
      from: 'retryAfterMs ?? 10 * least',
      to: '10 * least',
      means: 'the backend’s Retry-After is ignored',
      tests: [nativeTest],
    },
    {
      file: nativeRetry,
      from: 'Math.min(Math.max(retryAfterMs ?? 10 * least, Math.min(least, 1_000)), MAX_RETRY_AFTER_MS)',
      to: 'Math.max(retryAfterMs ?? 10 * least, Math.min(least, 1_000))',
      means: 'a Retry-After of an hour is waited for',
      tests: [nativeTest],
    },
    {
      file: nativeRetry,
      from: '20 * 2 ** failures',
      to: '20',
      means: 'tries do not become rarer',
      tests: [nativeTest],
    },
    {
      file: nativeCall,
      from: "  'context_busy',\n  'context_lost',\n",
      to: "  'context_lost',\n",
      means: 'a context that an abandoned call still uses is an error',
      tests: [nativeTest],
    },
    {
      file: nativeCall,
      from: " && code !== 'no_draft_model'",
      to: '',
      means: 'a backend without a draft model is asked for one again and again',
      tests: [faultsTest],
    },
    {
      file: nativeRetry,
      from: "if (Date.now() + ms > (error.code === 'overloaded' ? busyDeadline : deadline)) throw error",
      to: 'if (failures > 8) throw error',
      means: 'every try has a deadline of its own',
      tests: [nativeTest],
    },
    {
      file: nativeContext,
      from: "method: 'DELETE', headers,",
      to: "method: 'DELETE',",
      means: 'a context is given up without the token, and so is not',
      tests: [nativeTest],
    },
    {
      file: nativeCall,
      from: "    throw new UpstreamError('stream_cut', 'the backend closed the stream before it was done', { retryable: true })\n",
      to: '',
      means: 'a stream that ends early counts as complete',
      tests: [faultsTest],
    },
    {
      file: nativeCall,
      from: 'watchdog.watch(body, idleMs, silent)',
      to: 'body',
      means: 'a backend that goes silent is waited for',
      tests: [faultsTest],
    },
    {
      file: nativeCall,
      from: '{ retryable: true, cause }',
      to: '{ cause }',
      means: 'a backend that is away for a moment is not asked again',
      tests: [nativeTest],
    },
    {
      file: nativeContext,
      from: 'if (!this.#isKnown) yield* whole()',
      to: 'if (!this.isFollowed) yield* whole()',
      means: 'the whole text is sent with every call',
      tests: [runTest, nativeTest],
    },
    {
      file: nativeContext,
      from: 'prompt, output: this.#output, cache_salt }',
      to: 'prompt, output: [], cache_salt }',
      means: 'a context the backend lost is begun from the start',
      tests: [runTest, nativeTest],
    },
    {
      file: nativeContext,
      from: "error.status === 409 && error.code === 'context_lost'",
      to: "error.code === 'context_lost'",
      means: 'a context that is lost when text is out is begun again: the text comes twice',
      tests: [outlivingTest],
    },
    {
      file: native,
      from: 'ngram }, sampling }',
      to: 'ngram } }',
      means: 'the draft is drawn with other settings than the target',
      tests: [nativeTest],
    },
    {
      file: nativeWire,
      from: 'drafted.find((one) => one.index === index && ',
      to: 'drafted.find((one) => ',
      means: 'verdicts go to the first step',
      tests: [runTest, nativeTest],
    },
    {
      file: index,
      from: "env.ENGINE || 'native'",
      to: "'native'",
      means: 'the setting ENGINE is ignored',
      tests: [appTest, runsTest],
    },
    {
      file: nativeContext,
      from: '    for (const id of this.#said) this.#output.push(id)\n    this.#said = []\n    this.#knownAt',
      to: '    this.#said = []\n    this.#knownAt',
      means: 'what was said since the last commit comes twice after a failure',
      tests: [outlivingTest],
    },
    {
      file: nativeContext,
      from: '    this.#said = []\n    for (const id of ids)',
      to: '    for (const id of ids)',
      means: 'what was committed counts as said once more after a failure',
      tests: [outlivingTest, cycleRecordTest],
    },
    {
      file: report,
      from: '    yield* this.#commit(sofar)\n',
      to: '',
      means: 'what was said before a failure does not count as output',
      tests: [outlivingTest],
    },
    {
      file: cycle,
      from: '++this.#failures > MOST_FAILURES',
      to: 'false',
      means: 'a backend that breaks down on a text is sent it for ever',
      tests: [outlivingTest],
    },
    {
      file: cycle,
      from: '        if (finish) return yield* this.#report.end(finish)\n        yield* this.#outlive',
      to: '        yield* this.#outlive',
      means: 'a text whose end was committed is written on when the stream breaks',
      tests: [outlivingTest],
    },
    {
      file: cycleRecord,
      from: "if (tokens > this.#limits.tokens) throw bad('wrote more tokens than it was asked for')\n",
      to: '',
      means: 'max_tokens is for the backend alone to keep',
      tests: [cycleRecordTest],
    },
    {
      file: cycleRecord,
      from: "    if (this.commit) throw bad('went on after its commit')\n",
      to: '',
      means: 'a commit that comes twice is said twice',
      tests: [cycleRecordTest],
    },
    {
      file: cycleRecord,
      from: "if (commit.accepted > this.#accepted(this.#rulings)) throw bad('committed steps that were not accepted')\n",
      to: '\n',
      means: 'steps are accepted without a verdict',
      tests: [cycleRecordTest],
    },
    {
      file: cycleRecord,
      from: '(accepted ? this.tokens >= tokens : this.tokens > tokens)',
      to: 'true',
      means: 'a verdict is told before its text, and comes again after a failure',
      tests: [outlivingTest],
    },
    {
      file: nativeCall,
      from: 'left = event && isProgress(event) ? progressMs : Math.max(1, left - (Date.now() - asked))',
      to: 'left = progressMs',
      means: 'events that bring nothing keep a run alive',
      tests: [cycleRecordTest],
    },
    {
      file: nativeCall,
      from: 'left = event && isProgress(event) ?',
      to: 'left = !event || isProgress(event) ?',
      means: 'events that nobody knows keep a run alive',
      tests: [nativeCallTest],
    },
    {
      file: cycleRecord,
      from: "if (!said.startsWith(meant) && !meant.startsWith(said)) throw bad('wrote other text than its steps have')\n",
      to: '\n',
      means: 'a step is said to be accepted over other text',
      tests: [cycleRecordTest],
    },
    {
      file: cycleRecord,
      from: "if (left && !this.#limits.mayHold) throw bad('committed less text than its steps have')\n",
      to: '\n',
      means: 'a correction goes on where the text does not',
      tests: [cycleRecordTest],
    },
    {
      file: report,
      from: '    this.#begin(0, undefined)\n',
      to: "    this.#begin(0, '')\n",
      means: 'text that was held back before a failure is taken for untrue',
      tests: [cycleRecordTest],
    },
    {
      file: startRun,
      from: 'else unread = setTimeout(() => void leave(), unreadMs)\n',
      to: '\n',
      means: 'a client that reads nothing keeps its place for ever',
      tests: ['worker/test/access.test.ts'],
    },
    {
      file: nativeCall,
      from: 'return new UpstreamError(code, meaning(code, told), {',
      to: 'return new UpstreamError(code, told?.error.message ?? meaning(code, told), {',
      means: 'clients read what the backend says in its own words',
      tests: [cycleRecordTest],
    },
    {
      file: nativeCall,
      from: 'if (!isNext(value.id, count))',
      to: 'if (!isNext(value.id, count) && count < 0)',
      means: 'events that are lost or come twice go unnoticed',
      tests: [outlivingTest],
    },
    {
      file: startRun,
      from: "if (first?.value.type !== 'run.failed') return resumed(begun, run)",
      to: 'return resumed(begun, run)',
      means: 'a run that is not let in has begun for its client',
      tests: [runsTest],
    },
  ],
}
