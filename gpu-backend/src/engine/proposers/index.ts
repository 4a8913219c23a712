export { GUESS_STREAM, MOST_DRAFTED, chooseSpeculator } from './choose.ts'
export { MeasuredCosts } from './costs.ts'
export { Lengths } from './speculator.ts'
export type { Speculator } from './speculator.ts'
