import { app } from './app.ts'

export { RunCounter } from './access/run-counter.ts'
export { RunObject } from './stored/run-object.ts'

export default app
