/** What one text takes of forwards that it shares with others. */
export class Meter {
  /** Milliseconds: of every forward the part that its tokens are of all. */
  ms = 0
  /** Texts at work beside it and itself, at most. */
  load = 0

  add(ms: number, load: number): void {
    this.ms += ms
    this.load = Math.max(this.load, load)
  }

  /** What was added since the last time; counts anew from here. */
  take(): { ms: number; load: number } {
    const { ms, load } = this
    this.ms = 0
    this.load = 0
    return { ms, load }
  }
}
