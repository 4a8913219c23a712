import { app } from './app.ts'

export { RunObject } from './stored/run-object.ts'
export default app
