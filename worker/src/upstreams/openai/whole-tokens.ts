import type { Step } from './cutter.ts'
import { once } from './capabilities.ts'
import { detokenize } from './probe.ts'
import type { Server } from './server.ts'

/**
 * The same step with all that its last token says. A server cuts the text right after the stop string, but the token that
 * brought it may go on (`"\n\n\n"`), and is what the text goes on from. What a token says is asked once.
 * @throws {UpstreamError}; the signal's reason
 */
export async function wholeTokens(
  server: Server,
  step: Step,
  stops: readonly string[],
  signal: AbortSignal,
): Promise<Step> {
  const last = step.ids?.at(-1)
  if (last === undefined || step.end !== 'delimiter') return step
  const token = await once(`${server.key} says ${last}`, () => detokenize(server, [last], signal))
  const isWhole = stops.some((stop) => step.text.endsWith(stop) && endsAsOne(token, stop))
  return isWhole ? step : { ...step, text: await detokenize(server, step.ids!, signal) }
}

/** Whether a token that ends in a stop string has nothing after it, wherever the stop string began. */
function endsAsOne(token: string, stop: string): boolean {
  const at = token.indexOf(stop)
  return at >= 0 ? at + stop.length === token.length : stop.endsWith(token)
}
