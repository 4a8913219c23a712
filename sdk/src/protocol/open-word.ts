import * as v from 'valibot'

/** A word of a list that grows: one that is known here, or a newer sender's own, which is passed on as it is. */
export type OpenWord<Known extends string> = Known | (string & {})

/** Takes any string; `Known` are the words that this version knows. */
export const openWord = <Known extends string>() =>
  v.custom<OpenWord<Known>>((value) => typeof value === 'string', 'must be a string')
