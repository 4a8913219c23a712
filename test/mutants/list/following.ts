import type { Area } from '../mutant.ts'

const drafts = 'gpu-backend/src/engine/drafts.ts'
const contexts = 'gpu-backend/src/engine/contexts.ts'
const verify = 'gpu-backend/src/engine/decode/verify.ts'
const lookahead = 'gpu-backend/src/engine/decode/lookahead.ts'
const drafting = 'gpu-backend/src/engine/decode/drafting.ts'
const draftedChain = 'gpu-backend/src/engine/decode/drafted-chain.ts'
const targetStep = 'gpu-backend/src/engine/decode/target-step.ts'
const accept = 'gpu-backend/src/engine/speculation/accept.ts'
const routes = 'gpu-backend/src/server/lookahead.ts'
const cycle = 'worker/src/lookahead/cycle.ts'
const report = 'worker/src/lookahead/report.ts'
const native = 'worker/src/upstreams/native.ts'
const nativeContext = 'worker/src/upstreams/native-context.ts'
const startsTest = 'gpu-backend/src/engine/decode/target-starts.test.ts'
const draftTest = 'gpu-backend/src/engine/decode/draft.test.ts'
const draftsTest = 'gpu-backend/src/engine/drafts.test.ts'
const lookaheadTest = 'gpu-backend/src/engine/lookahead.test.ts'
const followTest = 'gpu-backend/src/server/follow.test.ts'
const acceptTest = 'gpu-backend/src/engine/speculation/accept.test.ts'
const cycleTest = 'worker/src/lookahead/cycle.test.ts'
const followingTest = 'worker/src/lookahead/following.test.ts'
const phasesTest = 'gpu-backend/src/engine/phases.test.ts'
const tree = 'gpu-backend/src/engine/decode/tree.ts'
const nativeFollowTest = 'worker/src/upstreams/native-follow.test.ts'

/** Drafting beside verification, across the folders: who writes what, from when, and who is told. */
export const following: Area = {
  name: 'following',
  mutants: [
    {
      file: verify,
      from: '      this.#context.drafts.refute()\n',
      to: '\n',
      means: 'the draft hears that a step was refuted only from the commit',
      tests: [lookaheadTest],
    },
    {
      file: drafts,
      from: 'else if (!this.#isRefuted) this.refute()\n',
      to: '\n',
      means: 'steps drafted before the target’s own words stand after them',
      tests: [draftsTest],
    },
    {
      file: drafts,
      from: 'if (goesOn) this.#steps.splice(0, accepted)',
      to: 'if (goesOn) this.refute()',
      means: 'steps that stand after accepted ones are thrown away',
      tests: [draftsTest],
    },
    {
      file: drafts,
      from: 'this.#steps.splice(0, accepted)',
      to: 'this.#steps.splice(0, accepted + 1)',
      means: 'a commit takes a step more than was accepted',
      tests: [draftsTest],
    },
    {
      file: drafts,
      from: 'this.#until(() => !this.isDrafted || ',
      to: 'this.#until(() => ',
      means: 'a verification waits for steps that cannot come',
      tests: [lookaheadTest],
    },
    {
      file: drafts,
      from: 'this.#overlaps ? 1 : this.#depth',
      to: '1',
      means: 'where drafting and verification take turns, a step is verified as soon as it is there',
      tests: [lookaheadTest],
    },
    {
      file: drafts,
      from: ' && (this.#overlaps || !this.#isVerified)',
      to: '',
      means: 'the draft does not wait for its turn',
      tests: [draftsTest],
    },
    {
      file: drafts,
      from: '    this.#isVerified = false\n',
      to: '',
      means: 'the draft’s turn comes but once',
      tests: [lookaheadTest],
    },
    {
      file: drafts,
      from: 'this.#steps.length >= this.#depth || ',
      to: '',
      means: 'the draft writes as far ahead as it can',
      tests: [lookaheadTest],
    },
    {
      file: drafts,
      from: "this.#depth > 0 && this.#steps.at(-1)?.end !== 'text'",
      to: 'this.#depth > 0',
      means: 'steps are waited for after the one that ends the text',
      tests: [lookaheadTest],
    },
    {
      file: drafts,
      from: 'this.#writers > 0 && this.#depth > 0 && this.#steps',
      to: 'this.#writers > 0 && this.#steps',
      means: 'a target that is to write alone waits for steps',
      tests: [draftsTest],
    },
    {
      file: lookahead,
      from: 'goesOn: drafts.isDrafted || drafts.steps.length > steps.length',
      to: 'goesOn: false',
      means: 'the target writes on after accepted steps though more are drafted',
      tests: [lookaheadTest],
    },
    {
      file: draftedChain,
      from: 'goesOn && steps.length > 0 && ',
      to: 'goesOn && ',
      means: 'without a drafted step the target writes none either, if more are drafted',
      tests: [startsTest],
    },
    {
      file: draftedChain,
      from: ' && steps.length === drafted.length)',
      to: ')',
      means: 'the target writes nothing after accepted steps though the next has no room',
      tests: [startsTest],
    },
    {
      file: lookahead,
      from: 'request.maxTokens - context.outputLength }',
      to: 'request.maxTokens }',
      means: 'max_tokens is counted anew for every cycle',
      tests: [lookaheadTest],
    },
    {
      file: lookahead,
      from: "verification.isLast || context.awaited.has('verify')",
      to: 'verification.isLast',
      means: 'a call goes on though another waits to take over',
      tests: [followTest],
    },
    {
      file: lookahead,
      from: '    engine.contexts.require(context)\n',
      to: '    if (drafts.isOver) break\n',
      means: 'a call whose text was taken away ends as if it were complete',
      tests: [followTest],
    },
    {
      file: contexts,
      from: '      context.awaited.delete(call)\n',
      to: '',
      means: 'a call that took over ends after one cycle',
      tests: [followTest],
    },
    {
      file: contexts,
      from: '    if (this.#contexts.get(context.id) !== context) throw lost()\n',
      to: '',
      means: 'a call goes on after the end of the text',
      tests: [followTest],
    },
    {
      file: contexts,
      from: ' && isEqual(known.tokens, context.tokens)',
      to: '',
      means: 'a call joins another text of the same name',
      tests: [followTest],
    },
    {
      file: contexts,
      from: '    this.#contexts.get(id)?.drafts.end()\n',
      to: '\n',
      means: 'the draft writes on for a text that was given up',
      tests: [followTest],
    },
    {
      file: routes,
      from: '!goesOn && !isHelper',
      to: '!goesOn',
      means: 'a draft that fails takes the text with it',
      tests: [followTest],
    },
    {
      file: drafting,
      from: 'this.#writing.branch.follow(sequence.slice(this.#writing.start))',
      to: 'sequence.slice(this.#writing.start)',
      means: 'after a refuted step the draft goes on from its own words',
      tests: [lookaheadTest],
    },
    {
      file: drafting,
      from: '    if (!this.#isOfUse) return undefined\n',
      to: '',
      means: 'a step that hangs on a refuted one is offered',
      tests: [draftTest],
    },
    {
      file: targetStep,
      from: 'kept: draft.tokens.slice(0, kept)',
      to: 'kept: draft.tokens.slice(0, kept + 1)',
      means: 'the first unlikely token of a drafted step is kept',
      tests: [lookaheadTest],
    },
    {
      file: targetStep,
      from: 'kept: draft.tokens.slice(0, kept)',
      to: 'kept: draft.tokens.slice(0, Math.max(0, kept - 1))',
      means: 'one likely token of a drafted step is left out of the target’s',
      tests: [lookaheadTest],
    },
    {
      file: targetStep,
      from: 'bonus: kept < draft.tokens.length',
      to: 'bonus: true',
      means: 'the target writes on in a step that it finds likely',
      tests: [lookaheadTest],
    },
    {
      file: targetStep,
      from: 'request.sampling.seed !== undefined || ',
      to: '',
      means: 'a seeded text depends on what is guessed',
      tests: [lookaheadTest],
    },
    {
      file: 'worker/src/lookahead/verifiers/likelihood.ts',
      from: "draft.unlikely ? rejected('unlikely') : accepted('likely')",
      to: "draft.unlikely && draft.text === '' ? rejected('unlikely') : accepted('likely')",
      means: 'likelihood accepts steps that the target finds unlikely',
      tests: [lookaheadTest],
    },
    {
      file: accept,
      from: 'noise.draw(p(i), position + i)',
      to: 'noise.draw(p(i), position)',
      means: 'guesses are held against the noise of the first one’s place',
      tests: [acceptTest, lookaheadTest],
    },
    {
      file: accept,
      from: 'noise.draw(p(length), position + length)',
      to: 'noise.draw(p(length), position)',
      means: 'the token after the guesses is drawn with the first one’s noise',
      tests: [acceptTest, lookaheadTest],
    },
    {
      file: accept,
      from: 'if (next !== token) return',
      to: 'if (next !== token && i > 0) return',
      means: 'the first guess is kept whatever the target draws',
      tests: [acceptTest],
    },
    {
      file: cycle,
      from: 'return pipelined && ',
      to: 'return ',
      means: 'cycles overlap though they were not to',
      tests: ['worker/test/runs.test.ts', followingTest],
    },
    {
      file: cycle,
      from: 'isSame(plan, present) ? undefined',
      to: 'plan ? undefined',
      means: 'a plan that changed is never sent',
      tests: [followingTest],
    },
    {
      file: cycle,
      from: 'isSame(plan, present) ? undefined',
      to: 'false ? undefined',
      means: 'a plan is sent with every call, changed or not',
      tests: [followingTest],
    },
    {
      file: cycle,
      from: '          next ??= this.#replan(call.plan)',
      to: '          next = this.#replan(call.plan) ?? next',
      means: 'several calls wait to take over from one',
      tests: [followingTest],
    },
    {
      file: cycle,
      from: '          this.#report.begin(MOST_STEPS)\n        } else',
      to: '          void 0\n        } else',
      means: 'steps of earlier cycles count in every later one',
      tests: [followingTest],
    },
    {
      file: report,
      from: "if (!commit) throw new UpstreamError('no_commit', 'the backend ended a verification without a commit')",
      to: "if (!commit) return { type: 'commit', accepted: 0, text: '', tokens: 1, correction: '', finish: 'stop' }",
      means: 'a cycle without a commit passes for one',
      tests: [cycleTest],
    },
    {
      file: cycle,
      from: '    this.#controller.observe(lesson)\n',
      to: '',
      means: 'nothing is learnt where cycles overlap',
      tests: [followingTest],
    },
    {
      file: nativeContext,
      from: 'if (output_tokens !== this.#output.length) throw elsewhere()',
      to: '',
      means: 'a call that takes over where the backend has gone on unread leaves a gap in the text',
      tests: [nativeFollowTest],
    },
    {
      file: cycle,
      from: "'the backend does not go on with the text', { retryable: true })",
      to: "'the backend does not go on with the text')",
      means: 'a call that ended because another took over unread fails the run',
      tests: [followingTest],
    },
    {
      file: native,
      from: ' && !SILENT.has(error.code)',
      to: '',
      means: 'beside a run, a draft that was silent for all its time is waited for thrice',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: ' && error.status === undefined',
      to: '',
      means: 'beside a run, a draft that refused for all its time is asked thrice',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: '    this.#context.isFollowed = true\n',
      to: '',
      means: 'a call that takes over names a length that another has passed meanwhile',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: '        failed.told = true\n',
      to: '',
      means: 'a failing draft is told with every event',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: '        draft.failed = { error, told: false }\n',
      to: '        void draft\n',
      means: 'a failing draft is never told',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: 'if (depth > 0 && !this.#draft)',
      to: 'if (depth > 0)',
      means: 'every new plan has a draft call of its own',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: 'if (depth > 0 && !this.#draft)',
      to: 'if (!this.#draft)',
      means: 'a draft is asked for where the target is to write alone',
      tests: [nativeFollowTest],
    },
    {
      file: native,
      from: 'return begun(call)',
      to: 'return call',
      means: 'a call that takes over is not sent before the last one has ended',
      tests: [nativeFollowTest],
    },
    {
      file: drafts,
      from: 'this.#kept >= KEPT * this.#refuted',
      to: 'this.#kept >= 0',
      means: 'a step is cut though the draft is refuted again and again',
      tests: [lookaheadTest],
    },
    {
      file: cycle,
      from: 'isStretch(call.plan)) next',
      to: 'false) next',
      means: 'after a stretch of the target alone the engine waits for the next plan',
      tests: [followingTest],
    },
    {
      file: verify,
      from: 'cuts: cuts && this.#verifier.cuts === true',
      to: 'cuts: false',
      means: 'the target writes on where the draft could',
      tests: [lookaheadTest],
    },
    {
      file: native,
      from: 'wait_ms: waitMs = 0,',
      to: 'total_ms: waitMs = 0,',
      means: 'all of a cycle counts as waiting for the draft',
      tests: [nativeFollowTest],
    },
    {
      file: lookahead,
      from: ' - (drafts.reading.ms - reading.ms)',
      to: '',
      means: 'the draft’s reading of the prompt counts as waiting for steps',
      tests: [phasesTest],
    },
    {
      file: lookahead,
      from: ' - (drafts.reading.shareMs - reading.shareMs)',
      to: '',
      means: 'the draft’s reading of the prompt counts as taken from others',
      tests: [phasesTest],
    },
    {
      file: verify,
      from: 'ms - reading.shareMs +',
      to: 'ms +',
      means: 'reading the prompt counts as taken from others',
      tests: [phasesTest],
    },
    {
      file: lookahead,
      from: '    cycle.work.waitMs! += Math.max(0, waited)\n',
      to: '    void waited\n',
      means: 'waiting for the draft costs nothing',
      tests: [phasesTest],
    },
    {
      file: tree,
      from: 'sequence.length - 1 - this.cached',
      to: 'sequence.length - 1',
      means: 'what was remembered counts as read',
      tests: [phasesTest],
    },
    {
      file: 'worker/src/lookahead/load-controller.ts',
      from: 'share !== undefined && share.load > 1',
      to: 'share !== undefined && share.load > 99',
      means: 'what a text takes from others does not count',
      tests: ['worker/src/lookahead/load-controller.test.ts'],
    },
    {
      file: 'gpu-backend/src/engine/batching/batcher.ts',
      from: '(ms * tokens) / newTokens',
      to: 'ms',
      means: 'a forward that several share counts in full for each',
      tests: ['gpu-backend/src/engine/batching/batcher.test.ts'],
    },
  ],
}
