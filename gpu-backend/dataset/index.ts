export { categories as equivalenceCategories, type EquivalencePair, equivalencePairs } from './equivalence-pairs.ts'
export { type ForeignKind, foreignKinds, foreignProblems } from './foreign.ts'
export { type JudgePair, judgePairs } from './judge-pairs.ts'
export { generateLongProblem, type LongProblem, longTestProblems, rightParts } from './long.ts'
export {
  extractAnswer,
  FAMILIES,
  generateProblem,
  isCorrect,
  type Problem,
  type Solution,
  testProblems,
} from './problem.ts'
export { Random } from './random.ts'
export type { Split } from './splits.ts'
export { derivableTerms, rightSteps, terms } from './terms.ts'
