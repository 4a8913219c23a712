import type { StepContent } from './work.ts'

/** What a wording may use: `the` is the label, `The` the label with a capital, `r` the result with its unit. */
export interface Words {
  the: string
  The: string
  a: number
  b: number
  calc: string
  r: string
  sign: string
}

type Wording = (w: Words) => string

export type Wordings = Record<StepContent['kind'], readonly Wording[]>
