/**
 * What others say may have stand-ins for some of its characters, which show in what a template prints where they come from. To
 * the template a stand-in is the character that it stands for, one for one: whatever compares texts, looks into them or
 * escapes them reads them `plain`. A rendering is never interrupted by another, so there is one reading.
 */
export interface StandIns {
  /** A text of others, with its stand-ins. */
  fenced: (text: string) => string
  /** What a text with stand-ins says: it has as many UTF-16 units. */
  plain: (text: string) => string
}

export const none: StandIns = { fenced: (text) => text, plain: (text) => text }

let read = none.plain

/** What a text says. */
export const plain = (text: string): string => read(text)

/** Does work in which texts have the stand-ins that it gives them. Without any, nothing has to be read. */
export function withStandIns<Result>(standIns: StandIns, work: (fenced: StandIns['fenced']) => Result): Result {
  const fenced = (text: string): string => {
    const given = standIns.fenced(text)
    if (given !== text) read = standIns.plain
    return given
  }
  try {
    return work(fenced)
  } finally {
    read = none.plain
  }
}
