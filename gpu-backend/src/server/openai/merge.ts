/** An item, and which of the sources gave it. */
export interface Merged<T> {
  index: number
  item: T
}

export interface MergeOptions {
  /** The source of which an item must have come before this one is asked for its first; undefined asks at once. */
  after?: (index: number) => number | undefined
  /** Called once nothing more is wanted: what they were asked for need not come. */
  end?: () => void
}

/**
 * What several sources give, as it comes; each is asked for its next item when its last one has come. When one fails, or the
 * reader leaves, all are returned once they have answered what they were asked.
 */
export async function* merge<T>(
  sources: readonly AsyncGenerator<T, void, undefined>[],
  { after = () => undefined, end }: MergeOptions = {},
): AsyncGenerator<Merged<T>, void, undefined> {
  const underWay = new Map<number, Promise<void>>()
  const waiting = new Set(sources.keys())
  const arrivals: Arrival<T>[] = []
  let arrived = Promise.withResolvers<void>()
  startAfter(undefined)
  try {
    while (underWay.size > 0) {
      await arrived.promise
      arrived = Promise.withResolvers()
      for (const { index, result, error } of arrivals.splice(0)) {
        underWay.delete(index)
        if (!result) throw error
        if (result.done) continue
        ask(index)
        startAfter(index)
        yield { index, item: result.value }
      }
    }
  } finally {
    end?.()
    await Promise.all(underWay.values())
    await Promise.all(sources.map((source) => source.return()))
  }

  function startAfter(first: number | undefined): void {
    for (const index of waiting) if (after(index) === first && waiting.delete(index)) ask(index)
  }

  /** `Promise.race` over all would leave a reaction on a slow source's promise for every item of the others. */
  function ask(index: number): void {
    const arrive = (arrival: Omit<Arrival<T>, 'index'>): void => {
      arrivals.push({ index, ...arrival })
      arrived.resolve()
    }
    underWay.set(
      index,
      sources[index]!.next().then(
        (result) => arrive({ result }),
        (error: unknown) => arrive({ error }),
      ),
    )
  }
}

/** A source's next item, or why there is none. */
interface Arrival<T> {
  index: number
  result?: IteratorResult<T, void>
  error?: unknown
}
