import type { ModelRunner } from '../model-runner.ts'

/** Weight of the past after one more forward of the target: about the last 50 count. */
const DECAY = 0.98
/** What a forward takes with all threads, against one. */
const ALL_THREADS = 0.6

/**
 * Whether the target leaves a core to the draft. Side by side they take as long as the longer of them, the target with one
 * thread; otherwise the target with all its threads and the draft's part of the cores after one another. So a draft that has
 * little to do, as beside texts that need more of the target, is not worth a core of its own.
 */
export class CoreShare {
  /** Milliseconds of late: of the draft's forwards, and of the target's, all as if with one thread. */
  #draftMs = 0
  #targetMs = 0
  /** The draft's since the last forward of the target, and during this one. */
  #between = 0
  #during = 0
  #isTargetBusy = false
  readonly #allThreads: number

  /** @param allThreads what a forward of the target takes with all its threads, against one */
  constructor(allThreads = ALL_THREADS) {
    this.#allThreads = allThreads
  }

  /** The draft ran for so long. */
  drafted(ms: number): void {
    if (this.#isTargetBusy) this.#during += ms
    else this.#between += ms
  }

  /** @returns whether the forward of the target that begins now leaves a core */
  begin(isDrafting: boolean): boolean {
    this.#isTargetBusy = true
    return isDrafting && this.#draftMs >= (1 - this.#allThreads) * this.#targetMs
  }

  /** It has ended. @param left whether it left a core */
  end(ms: number, left: boolean): void {
    // What the draft ran meanwhile it took from the target's second thread.
    const alone = left ? ms : Math.max(0, ms - this.#during) / this.#allThreads
    this.#targetMs = DECAY * this.#targetMs + alone
    this.#draftMs = DECAY * this.#draftMs + this.#between + this.#during
    this.#between = this.#during = 0
    this.#isTargetBusy = false
  }
}

/** Forwards of the target leave a core to the draft's where that is worth it. */
export function shareCores(target: ModelRunner, draft: ModelRunner): void {
  const cores = new CoreShare(target.model.hasOtherThreads ? ALL_THREADS : 1)
  target.batcher.share({ begin: () => cores.begin(draft.isDrafting), end: (ms, left) => cores.end(ms, left) })
  draft.batcher.share({ begin: () => false, end: (ms) => cores.drafted(ms) })
}
