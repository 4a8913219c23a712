/**
 * Where a forward runs. A call on libuv's pool leaves the event loop free, but costs about 0.1 ms of hand-over: as much as
 * a whole forward of a small model. So small forwards run on the event loop's own thread, and between them the loop
 * gets a turn often enough that nobody notices.
 */

/** Up to this many parameters, starting a second thread takes longer than it saves. */
export const singleThreadParameters = 4e6

/** Parameters × new tokens of about two milliseconds on two cores. */
const smallWork = 24e6

/** The longest time in milliseconds that forwards may hold the event loop without a turn. */
const maxHold = 4

export function isSmall(parameters: number, newTokens: number): boolean {
  return parameters * newTokens <= smallWork
}

let lastTurn = 0

/** Whether the event loop's last turn is too long ago; ask before each small forward. */
export function needsTurn(): boolean {
  return performance.now() - lastTurn > maxHold
}

/** Gives the event loop a turn. Not to be awaited without need: an await of a turn costs as much as a small forward. */
export async function giveTurn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
  lastTurn = performance.now()
}
