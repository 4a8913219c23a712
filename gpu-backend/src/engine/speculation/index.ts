export { MOST_DRAFTED, chooseSpeculator } from './choose.ts'
export { Lengths } from './speculator.ts'
export type { Speculator } from './speculator.ts'
