/** Redrawing more often than this (in milliseconds) only flickers. */
const redrawMs = 100

/** A line on a terminal that is drawn over and over; nothing where stderr is no terminal. */
export class ProgressLine {
  #drawn = -Infinity

  draw(text: string): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.#drawn < redrawMs) return
    this.#drawn = now
    process.stderr.write(`\r\x1B[K${text}`)
  }

  /** Wipes the line, so that something else can be printed. */
  clear(): void {
    if (process.stderr.isTTY && this.#drawn > 0) process.stderr.write('\r\x1B[K')
    this.#drawn = -Infinity
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}
