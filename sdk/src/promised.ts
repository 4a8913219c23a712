/** A promise, and what settles it: `Promise.withResolvers`, which Node 20 lacks. */
export function promised<T>() {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}
