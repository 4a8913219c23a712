import type { Random } from './random.ts'
import type { Work } from './work.ts'

/** One drawn problem of a family, before it has an id. */
export interface Sketch {
  /** Every number of the question, in order: the tuple by which splits are held apart. */
  numbers: number[]
  /** Wordings of the question; one is chosen. */
  questions: string[]
  /** The facts as clauses, in the order of the question. */
  facts: string[]
  /** What is asked: noun phrases that mean the same, separated by `|`. */
  goal: string
  unit: string
  /** The answer where it is not the last result (a time of day). */
  answer?: string | undefined
}

/** A family of problems: draws numbers and writes the solution's operations into `work`. */
export interface Family {
  name: string
  draw: (random: Random, work: Work, names: string[]) => Sketch
}
