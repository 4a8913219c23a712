import { ProtocolError } from './errors.ts'

/** Strings, keys among them, lists and objects that a body may have: 4,096 messages have half as many. */
const MOST_ITEMS = 50_000

/**
 * The body of a request as JSON.
 * @throws {ProtocolError} 400 `invalid_json`, `invalid_request` for a body of so many parts that reading it would hold up the event
 * loop; what a body limit threw while it was read
 */
export async function readJson(request: Request): Promise<unknown> {
  try {
    const text = await request.text()
    if (hasMoreItems(text, MOST_ITEMS))
      throw new ProtocolError(
        400,
        'invalid_request',
        `the body has more than ${MOST_ITEMS} strings, lists and objects: send fewer at a time`,
      )
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause
    throw new ProtocolError(400, 'invalid_json', 'the request body must be JSON', { cause })
  }
}

const QUOTE = 34
const LIST = 91
const BACKSLASH = 92
const OBJECT = 123

/** Whether a text, read as JSON, has more than `most` strings, lists and objects. Numbers cost next to nothing. */
export function hasMoreItems(text: string, most: number): boolean {
  // Each has two characters at least.
  if (text.length < 2 * most) return false
  let items = 0
  for (let at = 0; at < text.length && items <= most; at++) {
    const unit = text.charCodeAt(at)
    if (unit === LIST || unit === OBJECT) items++
    else if (unit === QUOTE) {
      items++
      at = endOfString(text, at)
    }
  }
  return items > most
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === BACKSLASH) first--
    if ((end - first) % 2 === 0) return end
  }
  return text.length
}
