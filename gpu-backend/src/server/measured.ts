import type { EndReason, Measurement } from './metrics.ts'

/**
 * Passes events on and measures them on the way. The measurement begins with the first event asked for, and ends once, as
 * the events do: `abort` where they were left or the signal was aborted, `error` where they failed.
 * @param record measures an event; of the last one it tells why the text ended
 */
export async function* measured<Event>(
  start: () => Measurement,
  events: AsyncGenerator<Event, void, undefined>,
  record: (measurement: Measurement, event: Event) => EndReason | undefined,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  const measurement = start()
  let end: EndReason = 'abort'
  try {
    for await (const event of events) {
      end = record(measurement, event) ?? end
      yield event
    }
  } catch (error) {
    if (!signal.aborted) end = 'error'
    throw error
  } finally {
    measurement.end(end)
  }
}
