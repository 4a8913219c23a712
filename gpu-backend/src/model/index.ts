export { Model, slotBytes, type ModelOptions } from './model.ts'
export type { Row } from './row.ts'
