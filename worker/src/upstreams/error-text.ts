/** What a server says that is not read event by event: no more than a bounded part of it. */

/** The most that is read of what it says in place of the answer that was asked for, in characters. */
const MOST = 64 * 1024

export async function errorText({ body }: Response): Promise<string> {
  let text = ''
  try {
    for await (const more of decoded(body)) {
      text += more
      if (text.length > MOST) break
    }
  } catch {
    // What has come may do.
  }
  return text
}

/** Undefined where it is longer than `most` characters: the rest is not read then. */
export async function textWithin({ body }: Response, most: number): Promise<string | undefined> {
  let text = ''
  for await (const more of decoded(body)) {
    text += more
    if (text.length > most) return undefined
  }
  return text
}

async function* decoded(body: Response['body']): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  for await (const bytes of body ?? []) yield decoder.decode(bytes as Uint8Array, { stream: true })
  yield decoder.decode()
}

/** Undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
