/** Points of a cost curve: new tokens in a forward, and its milliseconds; rising in tokens. */
export type Points = readonly (readonly [tokens: number, ms: number])[]

/**
 * A curve through `points`: straight between them and beyond the last, level below the first.
 * @throws RangeError without points, or where they do not rise
 */
export function curve(points: Points): (tokens: number) => number {
  if (points.length === 0) throw new RangeError('a cost curve needs a point: [tokens, ms]')
  if (points.some(([tokens], i) => i > 0 && !(tokens > points[i - 1]![0])))
    throw new RangeError('the points of a cost curve must rise in tokens')
  const [least, leastMs] = points[0]!
  return (tokens) => {
    if (points.length === 1 || tokens <= least) return leastMs
    const above = points.findIndex(([at]) => at >= tokens)
    const right = above < 0 ? points.length - 1 : above
    const [from, fromMs] = points[right - 1]!
    const [to, toMs] = points[right]!
    return fromMs + ((tokens - from) / (to - from)) * (toMs - fromMs)
  }
}
