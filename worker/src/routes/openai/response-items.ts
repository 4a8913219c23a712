/** The output items of a response, which here have one part of content each, and the events that begin and end them. */

export interface Item {
  type: 'reasoning' | 'message'
  id: string
  /** So far. */
  text: string
  status: 'in_progress' | 'completed' | 'incomplete'
}

export type ResponseEvent = { type: string } & Record<string, unknown>

/** @param index of the item in the output */
export function openItem(item: Item, index: number): ResponseEvent[] {
  const { item: empty, part } = words({ ...item, text: '' })
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...empty, content: [] } },
    { type: 'response.content_part.added', ...place(item, index), part },
  ]
}

export function closeItem(item: Item, index: number): ResponseEvent[] {
  const { item: whole, part } = words(item)
  const at = place(item, index)
  const done: ResponseEvent =
    item.type === 'reasoning'
      ? { type: 'response.reasoning_text.done', ...at, text: item.text }
      : { type: 'response.output_text.done', ...at, text: item.text, logprobs: [] }
  return [
    done,
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: index, item: whole },
  ]
}

export function deltaOf(item: Item, index: number, delta: string): ResponseEvent {
  const at = place(item, index)
  return item.type === 'reasoning'
    ? { type: 'response.reasoning_text.delta', ...at, delta }
    : { type: 'response.output_text.delta', ...at, delta, logprobs: [] }
}

/** The item as it stands in a response. */
export const itemOf = (item: Item): object => words(item).item

const place = ({ id }: Item, index: number) => ({ item_id: id, output_index: index, content_index: 0 })

function words({ type, id, text, status }: Item) {
  if (type === 'reasoning') {
    const part = { type: 'reasoning_text', text }
    return { part, item: { type, id, summary: [], content: [part], status } }
  }
  const part = { type: 'output_text', text, annotations: [], logprobs: [] }
  return { part, item: { type, id, role: 'assistant', content: [part], status } }
}
