/** More combining marks in a row than any writing has. */
const longRun = /\p{M}{256}(?=\p{M})/gu

/**
 * Cuts a text within very long runs of combining marks, and nowhere else: putting the marks of one run into order, as
 * normalising does, takes V8 time that grows with the run's square.
 */
export function cutLongRunsOfMarks(text: string): string[] {
  const pieces: string[] = []
  let start = 0
  for (const { index, 0: marks } of text.matchAll(longRun)) {
    const end = index + marks.length
    pieces.push(text.slice(start, end))
    start = end
  }
  pieces.push(text.slice(start))
  return pieces
}
