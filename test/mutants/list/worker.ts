import type { Area } from '../mutant.ts'

const startRun = 'worker/src/start-run.ts'
const native = 'worker/src/upstreams/native.ts'
const nativeCall = 'worker/src/upstreams/native-call.ts'
const index = 'worker/src/upstreams/index.ts'
const runsTest = 'worker/test/runs.test.ts'
const nativeTest = 'worker/src/upstreams/native.test.ts'
const faultsTest = 'worker/src/lookahead/faults.test.ts'
const runTest = 'worker/src/lookahead/run.test.ts'
const appTest = 'worker/test/app.test.ts'

export const worker: Area = {
  name: 'worker',
  mutants: [
    {
      file: startRun,
      from: '  c.executionCtx.waitUntil(over.promise)\n',
      to: '',
      means: 'the worker is dropped before it can tell the backend',
      tests: [runsTest],
    },
    {
      file: startRun,
      from: '        if (result.done) over()\n',
      to: '',
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
      from: '      } finally {\n        over()\n',
      to: '      } finally {\n        void 0\n',
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
      file: native,
      from: "begins: ({ type }) => type !== 'context'",
      to: "begins: ({ type }) => type === 'delta'",
      means: 'a call whose verdicts are out is repeated',
      tests: [nativeTest],
    },
    {
      file: native,
      from: "begins: ({ type }) => type !== 'context'",
      to: 'begins: () => true',
      means: 'a call that found no room after its context is not repeated',
      tests: [faultsTest],
    },
    {
      file: native,
      from: 'error.retryAfterMs ?? 200',
      to: '200',
      means: 'the backend’s Retry-After is ignored',
      tests: [nativeTest],
    },
    {
      file: native,
      from: 'Math.min(error.retryAfterMs ?? 200 * 2 ** failures, MAX_RETRY_AFTER_MS)',
      to: '(error.retryAfterMs ?? 200 * 2 ** failures)',
      means: 'a Retry-After of an hour is waited for',
      tests: [nativeTest],
    },
    {
      file: native,
      from: '200 * 2 ** failures',
      to: '200',
      means: 'tries do not become rarer',
      tests: [nativeTest],
    },
    {
      file: nativeCall,
      from: "new Set(['overloaded', 'context_busy'])",
      to: "new Set(['overloaded'])",
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
      file: native,
      from: 'failures + 1 < tries',
      to: 'failures < tries',
      means: 'a call is tried once more than it may be',
      tests: [faultsTest],
    },
    {
      file: native,
      from: "method: 'DELETE', headers,",
      to: "method: 'DELETE',",
      means: 'a context is given up without the token, and so is not',
      tests: [nativeTest],
    },
    {
      file: nativeCall,
      from: "    throw new UpstreamError('stream_cut', 'the backend closed the stream before it was done')\n",
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
      file: native,
      from: 'this.#isKnown ? named : whole',
      to: 'whole',
      means: 'the whole text is sent with every call',
      tests: [runTest, nativeTest],
    },
    {
      file: native,
      from: 'prompt, output: this.#output }',
      to: 'prompt, output: [] }',
      means: 'a context the backend lost is begun from the start',
      tests: [runTest, nativeTest],
    },
    {
      file: native,
      from: "error.status === 409 && error.code === 'context_lost'",
      to: "error.code === 'context_lost'",
      means: 'a context that is lost when text is out is begun again: the text comes twice',
      tests: [faultsTest],
    },
    {
      file: native,
      from: '= { depth, width, sampling }',
      to: '= { depth, width }',
      means: 'the draft is drawn with other settings than the target',
      tests: [nativeTest],
    },
    {
      file: native,
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
  ],
}
