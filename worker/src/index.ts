import { app } from './app.ts'

export { RunCounter } from './access/run-counter.ts'

export default app
