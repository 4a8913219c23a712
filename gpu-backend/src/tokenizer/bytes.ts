/**
 * Byte-level tokenizers spell each byte as one printable character: printable Latin-1 as itself, the others as the
 * characters from U+0100 on, in order (bytes_to_unicode of GPT-2's encoder.py).
 */
const byteOf = new Map<string, number>()
for (let byte = 0, next = 256; byte < 256; byte++) {
  const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173)
  byteOf.set(String.fromCodePoint(printable ? byte : next++), byte)
}

/** The characters that spell bytes. */
export const byteCharacters: readonly string[] = [...byteOf.keys()]

/** The bytes that a byte-level token stands for; undefined if a character of it stands for none. */
export function bytesOfToken(token: string): Uint8Array | undefined {
  const bytes = Array.from(token, (character) => byteOf.get(character))
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined
}

/**
 * SentencePiece's tokens, as Llama 2 and Mistral have them: `<0x0A>` is a byte, U+2581 a space, all else UTF-8.
 */
export function bytesOfPiece(token: string): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1]
  return byte === undefined ? utf8.encode(token.replaceAll('\u2581', ' ')) : Uint8Array.of(Number.parseInt(byte, 16))
}

const utf8 = new TextEncoder()
