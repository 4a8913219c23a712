/**
 * Engines that speak as vLLM 0.33, SGLang 0.5.23 and llama-server (as of llama-cpp-python 0.3.36) do, or as little as one may (one text prompt a call, no unknown fields), behind
 * msw. Their "model" writes a given text, whatever stands before it; a token is a word, a stretch of spaces, or of line feeds.
 */
import { HttpResponse, http } from 'msw'
import type { HttpHandler } from 'msw'

export type Dialect = 'vllm' | 'sglang' | 'llama' | 'bare'

export interface FakeEngine {
  url: string
  dialect: Dialect
  /** What it writes after `<a>`. */
  says: string
  /** What it writes where it draws at random. Default: the same. */
  varies?: string
  /** Whether it goes on from numbers in nothing but spaces. */
  blank?: boolean
  /** What it rates a step that it is shown, from 0 to 9. Default: it does not know what is asked. */
  rates?: (prompt: string) => number
  /** Log probability of a token that it would not write itself. Default: -9. */
  other?: number
  /** Breaks off the next so many streams after three tokens. */
  breaks?: number
  /** Tokens that a prompt and what is written after it may have together; more is refused, by a llama-server only where the prompt alone is. */
  context?: number
}

export interface Call {
  path: string
  body: Record<string, unknown>
  requestId: string | null
}

const EOS = 0
const vocabulary = ['']

const idOf = (word: string): number => {
  const known = vocabulary.indexOf(word)
  return known > 0 ? known : vocabulary.push(word) - 1
}
const encode = (text: string): number[] => (text.match(/\n+|<\/?\w+>|[^\s<]+|[^\S\n]+|</g) ?? []).map(idOf)
const decode = (ids: readonly number[]): string => ids.map((id) => vocabulary[id]).join('')
const textOf = (prompt: string | number[]): string => (typeof prompt === 'string' ? prompt : decode(prompt))
const lengthOf = (prompt: string | number[]): number => (typeof prompt === 'string' ? encode(prompt) : prompt).length

/** The tokens that come after a text: where it went another way, those of the step after as many steps. */
function continuation(says: string, text: string): number[] {
  const [, written] = text.split('<a>')
  if (written === undefined) return encode(' 5, 6, 7, 8, 9, 10, 11')
  if (says.startsWith(written)) return [...encode(says.slice(written.length)), EOS]
  const steps = written.split(/\n\n+/).length - 1
  const rest = says.split(/(?<=\n\n+)(?!\n)/).slice(steps)
  return [...encode(rest.join('')), EOS]
}

interface Piece {
  index: number
  text: string
  ids: number[]
  end: 'stop' | 'length' | null
  stop: string | null
}

/** One text, token by token. vLLM and SGLang leave the stop string in the text when asked to, and cut right after it. */
function* write(
  engine: FakeEngine,
  body: Record<string, unknown>,
  prompt: string | number[],
  index: number,
): Generator<Piece> {
  const stops = [body['stop'] ?? []].flat() as string[]
  const keeps = engine.dialect === 'vllm' ? body['include_stop_str_in_output'] : body['no_stop_trim']
  let text = ''
  const most = Math.min(body['max_tokens'] as number, (engine.context ?? Infinity) - lengthOf(prompt))
  let count = 0
  const says = body['temperature'] === 0 ? engine.says : (engine.varies ?? engine.says)
  const asked = textOf(prompt)
  const written = engine.blank && asked.startsWith('1,') ? [...encode(' '.repeat(8)), EOS] : continuation(says, asked)
  for (const id of written) {
    const said = id === EOS ? '' : decode([id])
    const [stop] = stops.filter((one) => (text + said).includes(one))
    const isLast = ++count >= most
    const end = id === EOS || stop !== undefined ? 'stop' : isLast ? 'length' : null
    const upTo = stop === undefined ? undefined : (text + said).indexOf(stop) + (keeps ? stop.length : 0)
    yield { index, text: (text + said).slice(text.length, upTo), ids: [id], end, stop: stop ?? null }
    if (end) return
    text += said
  }
}

const choiceOf = (
  { dialect }: FakeEngine,
  body: Record<string, unknown>,
  { index, text, ids, end, stop }: Piece,
): object => {
  const common = { index, text, logprobs: null, finish_reason: end }
  const token_ids = body['return_token_ids'] ? ids : null
  if (dialect === 'vllm') return { ...common, stop_reason: stop, token_ids, prompt_token_ids: null }
  // No word of the stop string, nor of what ended the text.
  if (dialect === 'llama')
    return {
      ...common,
      logprobs: body['logprobs'] && text ? { content: ids.map((id) => ({ id, token: text })) } : null,
    }
  if (dialect === 'sglang') return { ...common, matched_stop: stop, ...(token_ids && { token_ids }) }
  return common
}

function completions(engine: FakeEngine, body: Record<string, unknown>): Response {
  const given = body['prompt'] as string | string[] | number[] | number[][]
  const isOne = typeof given === 'string' || typeof given[0] === 'number'
  const prompts = (isOne ? [given] : given) as (string | number[])[]
  const unknown = ['return_token_ids', 'no_stop_trim', 'include_stop_str_in_output'].find((field) => field in body)
  if (engine.dialect === 'bare' && (unknown || typeof given !== 'string'))
    return HttpResponse.json(
      { error: { message: `unrecognized ${unknown ?? 'prompt'}`, type: 'x', code: null } },
      { status: 400 },
    )
  const wanted = engine.dialect === 'llama' ? 1 : (body['max_tokens'] as number)
  if (Math.max(...prompts.map(lengthOf)) + wanted > (engine.context ?? Infinity)) return tooLong(engine)
  const envelope = { id: 'cmpl-1', object: 'text_completion', created: 1, model: body['model'] }
  if (body['prompt_logprobs'] !== undefined && engine.dialect === 'vllm') {
    const prompt_logprobs = opinions(engine, prompts[0] as number[]).map(
      (place) =>
        place &&
        Object.fromEntries(
          place.map(([logprob, id], i) => [id, { logprob, rank: i + 1, decoded_token: decode([id]) }]),
        ),
    )
    return HttpResponse.json({ ...envelope, choices: [{ index: 0, text: '', prompt_logprobs }] })
  }
  if (!body['stream']) return ratings(engine, body, prompts.map(textOf), envelope)
  const texts = prompts.map((prompt, index) => [...write(engine, body, prompt, index)])
  const turns = Math.max(...texts.map(({ length }) => length))
  const isBroken = (engine.breaks ?? 0) > 0
  if (isBroken) engine.breaks!--
  const events = Array.from({ length: isBroken ? Math.min(3, turns) : turns }, (_, i) =>
    texts
      .flatMap((pieces) => pieces[i] ?? [])
      .map((piece) => ({ ...envelope, choices: [choiceOf(engine, body, piece)] })),
  )
  const lines = events.flat().map((event) => `data: ${JSON.stringify(event)}\n\n`)
  if (engine.dialect === 'llama' && !isOne) lines.unshift('data: null\n\n')
  const wire = lines.join('') + (isBroken ? '' : 'data: [DONE]\n\n')
  return new HttpResponse(wire, { headers: { 'content-type': 'text/event-stream' } })
}

function tooLong({ dialect, context }: FakeEngine): Response {
  const message =
    dialect === 'llama'
      ? 'the request exceeds the available context size, try increasing it'
      : `This model's maximum context length is ${context} tokens. However, you requested more`
  return HttpResponse.json({ error: { message, type: 'x', code: null } }, { status: 400 })
}

/** One token a prompt, in one piece. One that is bare tells no log probabilities. */
function ratings(
  { dialect, rates }: FakeEngine,
  { logprobs }: Record<string, unknown>,
  prompts: string[],
  envelope: object,
): Response {
  if (dialect === 'bare' && logprobs !== undefined)
    return HttpResponse.json({ error: { message: 'logprobs', type: 'x', code: null } }, { status: 400 })
  const choices = prompts.map((prompt, index) => {
    const rating = rates ? `${rates(prompt)}` : 'What'
    // What is likeliest of all is none.
    const top = { ' the': -0.5, [rating]: -1, ...(rates && { ' 1': -2 }) }
    const text = dialect === 'bare' ? rating : ' the'
    const content = [
      { token: ' the', top_logprobs: Object.entries(top).map(([token, logprob]) => ({ token, logprob })) },
    ]
    if (dialect === 'llama') return { index, text, logprobs: logprobs ? { content } : null, finish_reason: 'length' }
    const told = logprobs ? { tokens: [' the'], token_logprobs: [-0.5], top_logprobs: [top], text_offset: [0] } : null
    return { index, text, logprobs: told, finish_reason: 'length' }
  })
  return HttpResponse.json({ ...envelope, choices: choices.toReversed() })
}

/** For each token of a prompt its log probability, the model's own choice before it; null for the first. */
function opinions({ says, other = -9 }: FakeEngine, ids: readonly number[]): ([number, number][] | null)[] {
  return ids.map((id, i) => {
    if (i === 0) return null
    const own = continuation(says, decode(ids.slice(0, i)))[0] ?? EOS
    const ownLogprob = Math.log(1 - Math.exp(other))
    return own === id
      ? [[ownLogprob, id]]
      : [
          [ownLogprob, own],
          [other, id],
        ]
  })
}

/** SGLang's `/generate`: from `logprob_start_len` on, which is told without a probability. */
function generate(engine: FakeEngine, body: Record<string, unknown>): Response {
  const ids = body['input_ids'] as number[]
  const start = body['logprob_start_len'] as number
  const told = opinions(engine, ids).slice(start)
  const own = told.map((place, i) => [i === 0 ? null : place!.at(-1)![0], ids[start + i], null])
  const top = told.map((place, i) => (i === 0 ? null : place!.map((entry) => [...entry, null])))
  return HttpResponse.json({ text: '', meta_info: { input_token_logprobs: own, input_top_logprobs: top } })
}

/** @param calls is told of every call */
export function handlersOf(engine: FakeEngine, calls: Call[]): HttpHandler[] {
  const { url, dialect, context } = engine
  const post = (path: string, answer: (body: Record<string, unknown>) => Response) =>
    http.post(url + path, async ({ request }) => {
      const body = (await request.json()) as Record<string, unknown>
      calls.push({ path: url + path, body, requestId: request.headers.get('x-request-id') })
      return answer(body)
    })
  const missing = () => HttpResponse.json({ detail: 'Not Found' }, { status: 404 })
  const tokenize = (body: Record<string, unknown>) => {
    const messages = body['messages'] as { content: string }[] | undefined
    if (dialect === 'llama') return HttpResponse.json({ tokens: encode((body['content'] as string | undefined) ?? '') })
    const tokens = encode(
      messages ? `<q>${messages.map(({ content }) => content).join('\n')}<a>` : (body['prompt'] as string),
    )
    return HttpResponse.json({ count: tokens.length, max_model_len: 4096, tokens })
  }
  const spell = (body: Record<string, unknown>) => {
    const text = decode(body['tokens'] as number[])
    return HttpResponse.json({ [{ vllm: 'prompt', llama: 'content' }[dialect as string] ?? 'text']: text })
  }
  const template = (body: Record<string, unknown>) => {
    const messages = body['messages'] as { content: string }[]
    return HttpResponse.json({ prompt: `<q>${messages.map(({ content }) => content).join('\n')}<a>` })
  }
  const told = ['vllm', 'sglang'].includes(dialect) ? { max_model_len: context } : {}
  const models = ['big', 'small'].map((id) => ({ id, object: 'model', ...told }))
  return [
    http.get(`${url}/v1/models`, () => HttpResponse.json({ object: 'list', data: models })),
    post('/v1/completions', (body) => completions(engine, body)),
    post('/tokenize', dialect === 'bare' ? missing : tokenize),
    post('/detokenize', dialect === 'bare' ? missing : spell),
    post('/apply-template', dialect === 'llama' ? template : missing),
    post('/generate', dialect === 'sglang' ? (body) => generate(engine, body) : missing),
  ]
}
