import { borrows } from './arithmetic.ts'

/** What a step says, apart from its words. Two texts are aligned exactly when they express one `StepContent`. */
export interface StepContent {
  kind:
    | 'question'
    | 'facts'
    | 'goal'
    | 'sum'
    | 'difference'
    | 'product'
    | 'quotient'
    | 'hours'
    | 'check'
    | 'conclusion'
    | 'summary'
  /** What the step is about, as noun phrases that mean the same, separated by `|`; clauses joined for `facts`. */
  label: string
  /** The operands, in the order in which they are written; empty for `facts` and `goal`. */
  values: number[]
  /** The result as written; a wrong one (in judge pairs) is carried by the last calculation. */
  result: number
  /** `$` is written before a number, any other unit after it. */
  unit: string
  /** For `check`: the operation that proves it. */
  sign?: '+' | '×'
  /** For `conclusion` only: the answer where it is not simply the result (a time of day). */
  answer?: string | undefined
  /** In a problem of several parts: the number of the part that this step opens (`question`). */
  opens?: number
  /** There, the number and the answer of the part that this step closes (`conclusion`). */
  closes?: { part: number; answer: string }
}

/** Writes down the operations of one solution. Each method returns its result, so a solution reads as arithmetic. */
export class Work {
  readonly steps: StepContent[] = []
  /** False when some result is not a whole number of at least 2 or too large: the numbers must be drawn again. */
  sound = true

  sum(label: string, a: number, b: number, unit: string): number {
    return this.add({ kind: 'sum', label, values: [a, b], result: a + b, unit })
  }

  /** A difference of two three-digit numbers that borrows is followed by a check. */
  difference(label: string, a: number, b: number, unit: string): number {
    const result = this.add({ kind: 'difference', label, values: [a, b], result: a - b, unit })
    if (b > 99 && borrows(a, b)) this.check(label, result, b, a, unit, '+')
    return result
  }

  /** One factor must have one digit; it is written first. */
  product(label: string, a: number, b: number, unit: string): number {
    const [small, large] = a < 10 ? [a, b] : [b, a]
    if (small > 9) this.sound = false
    return this.add({ kind: 'product', label, values: [small, large], result: a * b, unit })
  }

  /** `b` must have one digit and divide `a`. A quotient of two or more digits is followed by a check. */
  quotient(label: string, a: number, b: number, unit: string): number {
    if (a % b !== 0 || b > 9 || b < 2) this.sound = false
    const result = this.add({ kind: 'quotient', label, values: [a, b], result: a / b, unit })
    if (result > 9) this.check(label, b, result, a, unit, '×')
    return result
  }

  /** A tenth of a multiple of ten: only a zero goes away, so nothing is written out. */
  quotient10(label: string, a: number, unit: string): number {
    return this.add({ kind: 'quotient', label, values: [a, 10], result: a / 10, unit })
  }

  /** Splits minutes into whole hours and minutes. Returns [hours, minutes]. */
  hours(label: string, minutes: number): [number, number] {
    const whole = Math.floor(minutes / 60)
    this.add({ kind: 'hours', label, values: [minutes, whole], result: minutes % 60, unit: 'minutes' })
    return [whole, minutes % 60]
  }

  private check(label: string, a: number, b: number, result: number, unit: string, sign: '+' | '×'): void {
    this.add({ kind: 'check', label, values: [a, b], result, unit, sign })
  }

  private add(step: StepContent): number {
    if (!Number.isInteger(step.result) || step.result < 2 || step.result > 9999) this.sound = false
    this.steps.push(step)
    return step.result
  }
}
