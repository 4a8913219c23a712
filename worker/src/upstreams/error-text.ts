/** What a server says in place of the answer that was asked for. */

/** The most that is read of it, in characters. */
const MOST = 64 * 1024

export async function errorText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const bytes of body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true })
      if (text.length > MOST) break
    }
  } catch {
    // What has come may do.
  }
  return text
}

/** Undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
