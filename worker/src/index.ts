import { app } from './app.ts'
import { playground } from './routes/playground.ts'

// Here and not in `app.ts`: what it serves there is only once wrangler has built it.
app.route('/', playground)

export { RunCounter } from './access/run-counter.ts'
export { RunObject } from './stored/run-object.ts'

export default app
