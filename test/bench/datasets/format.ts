import type * as v from 'valibot'

/** A problem as a line of a file has it. */
export interface Entry {
  id?: string | undefined
  question: string
  answer: string
}

/** How one published dataset writes its lines. */
export interface Format {
  /** Name of the dataset. */
  name: string
  /** What a line of it looks like, to tell it from the others' and to read it. */
  line: v.GenericSchema<unknown, Entry>
}
