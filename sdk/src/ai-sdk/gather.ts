import type { LanguageModelV4Content, LanguageModelV4GenerateResult, LanguageModelV4StreamPart } from '@ai-sdk/provider'

/** A stream of parts as one result. @throws what the stream tells as an error */
export async function gather(
  stream: ReadableStream<LanguageModelV4StreamPart>,
): Promise<Omit<LanguageModelV4GenerateResult, 'request'>> {
  const content: LanguageModelV4Content[] = []
  const result: Partial<LanguageModelV4GenerateResult> = {}
  let block: Extract<LanguageModelV4Content, { type: 'text' | 'reasoning' }> | undefined
  const reader = stream.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const part = next.value
    if (part.type === 'stream-start') result.warnings = part.warnings
    if (part.type === 'response-metadata') result.response = part
    if (part.type === 'text-start' || part.type === 'reasoning-start')
      content.push((block = { type: part.type === 'text-start' ? 'text' : 'reasoning', text: '' }))
    if (part.type === 'text-delta' || part.type === 'reasoning-delta') block!.text += part.delta
    if (part.type === 'custom') content.push(part)
    if (part.type === 'finish') Object.assign(result, { ...part, type: undefined })
    if (part.type === 'error') throw part.error
  }
  return { content, warnings: [], ...result } as LanguageModelV4GenerateResult
}
