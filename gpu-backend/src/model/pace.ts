import { availableParallelism } from 'node:os'
import { sharedThreads, type Device } from '../onnxruntime/index.ts'

/**
 * Where a forward runs. A call on libuv's pool leaves the event loop free, but costs about 0.1 ms of hand-over: as much as
 * a whole forward of a small model. So small forwards run on the event loop's own thread, and between them the loop
 * gets a turn often enough that nobody notices.
 */

/** Up to this many parameters, starting a second thread takes longer than it saves. */
export const singleThreadParameters = 4e6

/** Up to this many parameters, of 256 MiB in fp32, weights may be in memory twice. */
const twiceParameters = 64e6

/**
 * Whether a model's forwards can leave a core to other work. On two cores that takes a session of one thread: the two threads of a forward
 * wait for each other, so it is only as fast as the one whose core is taken. Of more cores one is little missed, and a device needs none.
 */
export function leavesCore(model: {
  device?: Device | undefined
  threads?: number | undefined
  parameters: number
}): boolean {
  const { device = 'cpu', threads = sharedThreads(), parameters } = model
  if (device !== 'cpu' || availableParallelism() < 2 || parameters <= singleThreadParameters) return false
  return threads === 1 || (threads === 2 && parameters <= twiceParameters)
}

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
