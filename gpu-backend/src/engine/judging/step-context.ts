import type { StepContext } from '@lookahead/worker/verifiers'

/** What stands before a step; its text is made when a verifier first asks for it, which most never do. */
export class LazyStepContext implements StepContext {
  readonly question: string
  readonly #read: () => string
  #before: string | undefined

  constructor(question: string, read: () => string) {
    this.question = question
    this.#read = read
  }

  get before(): string {
    return (this.#before ??= this.#read())
  }
}
