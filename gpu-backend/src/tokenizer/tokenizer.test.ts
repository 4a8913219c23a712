import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { Tokenizer, lookupToken } from './index.ts'
import { cutLongRunsOfMarks } from './marks.ts'

const tiny = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')
const tokenizer = await Tokenizer.load(tiny)

test.each([
  'plain words',
  'tabs\tand\n\nlines',
  'naïve 🙂 日本語 \u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  '\ufeffmark',
  '',
])('gives back %j', (text) => {
  const ids = tokenizer.encode(text)
  expect(ids).toHaveLength(new TextEncoder().encode(text).length)
  expect(tokenizer.decode(ids)).toBe(text)
})

test('a character comes out with the last of its tokens', () => {
  const decoder = tokenizer.streaming()
  expect(tokenizer.encode('a🙂é').map((id) => decoder.push(id))).toEqual(['a', '', '', '', '🙂', '', 'é'])
  expect(decoder.flush()).toBe('')
})

test('an unfinished character ends as U+FFFD, and the decoder starts anew', () => {
  const decoder = tokenizer.streaming()
  const [first] = tokenizer.encode('🙂')
  expect(decoder.push(first!)).toBe('')
  expect(decoder.flush()).toBe('\ufffd')
  expect(decoder.push(tokenizer.encode('x')[0]!)).toBe('x')
})

test('special tokens are not text, but the marks of thinking are', () => {
  const text = '<|im_start|><think>\nhm</think><|im_end|>'
  const ids = tokenizer.encode(text)
  expect(ids).toHaveLength(7)
  expect(tokenizer.specialIds.has(ids[0]!)).toBe(true)
  expect(tokenizer.decode(ids)).toBe('<think>\nhm</think>')
  expect(tokenizer.tokenId('<|im_end|>')).toBe(ids.at(-1))
})

test('bytes of a token: part of a character, a mark, none outside the vocabulary', () => {
  const ids = tokenizer.encode('é')
  expect(ids.map((id) => [...tokenizer.decodeToken(id)])).toEqual([[0xc3], [0xa9]])
  expect(new TextDecoder().decode(tokenizer.decodeToken(tokenizer.tokenId('<think>')!))).toBe('<think>')
  expect(tokenizer.decodeToken(99999)).toHaveLength(0)
})

test('renders a conversation with the folder’s template', () => {
  const messages = [{ role: 'user', content: 'Hi' }]
  expect(tokenizer.renderChat(messages)).toBe('<|im_start|>user\nHi<|im_end|>\n')
  expect(tokenizer.renderChat(messages, { addGenerationPrompt: true })).toBe(
    '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\n',
  )
})

test('templates may ask whether there are tools', async () => {
  await using folder = await temporary()
  await cp(tiny, folder.path, { recursive: true })
  await folder.write(
    'chat_template.jinja',
    '{% if tools is not none or documents is not none %}tools{% else %}none{% endif %}',
  )
  const asking = await Tokenizer.load(folder.path)
  expect(asking.renderChat([])).toBe('none')
  expect(asking.renderChat([], { variables: { tools: [] } })).toBe('tools')
})

test('what only special_tokens_map.json names ends a text, and a template may name it; the configuration comes first', async () => {
  await using folder = await temporary()
  await cp(tiny, folder.path, { recursive: true })
  const [config, map] = ['tokenizer_config.json', 'special_tokens_map.json'] as const
  const [end, other] = ['<|im_end|>', '<|endoftext|>'].map((token) => tokenizer.tokenId(token))
  await folder.write('chat_template.jinja', '{{ eos_token }}{{ bos_token }}')
  await folder.write(map, JSON.stringify({ eos_token: { content: '<|endoftext|>', lstrip: false }, bos_token: 'b' }))
  const both = await Tokenizer.load(folder.path)
  expect([both.endOfText, both.renderChat([])]).toEqual([[end, other], '<|im_end|>b'])
  await folder.write(config, '{}')
  const one = await Tokenizer.load(folder.path)
  expect([one.endOfText, one.renderChat([])]).toEqual([[other], '<|endoftext|>b'])
  await folder.write(map, '{"eos_token": "none of its tokens", "additional_special_tokens": ["x"]}')
  expect((await Tokenizer.load(folder.path)).endOfText).toEqual([])
  await folder.write(map, '{"eos_token": 3}')
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({ code: 'invalid' })
})

test('looks up single tokens only', () => {
  expect(lookupToken(tokenizer, 'a')).toBe(tokenizer.tokenId('a'))
  expect(() => lookupToken(tokenizer, 'ab')).toThrow('single token')
})

test('names what is missing, broken or unsupported', async () => {
  await using folder = await temporary()
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({ name: 'ModelError', code: 'not_found' })
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, added_tokens: [] }
  const stored = { ...parts, model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, decoder: { type: 'Metaspace' } }
  await folder.write('tokenizer.json', '{}')
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({ code: 'invalid' })
  await folder.write('tokenizer.json', JSON.stringify(stored))
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({ code: 'unsupported' })
  await folder.write('tokenizer.json', JSON.stringify({ ...stored, decoder: { type: 'ByteLevel' } }))
  const plain = await Tokenizer.load(folder.path)
  expect(() => plain.renderChat([])).toThrow('no chat template')
  await folder.write('chat_template.jinja', '{% if %}')
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({ code: 'invalid' })
})

test.each([
  ['a SentencePiece model', 'tokenizer.model', ['tokenizer.model', 'tokenizer_config.json']],
  ['a vocabulary and merges', 'vocab.json', ['merges.txt', 'vocab.json']],
])('says how to make tokenizer.json from %s', async (_, source, files) => {
  await using folder = await temporary()
  for (const file of files) await folder.write(file, '{}')
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(
      new RegExp(
        `has no tokenizer.json: make it from its ${source} .*AutoTokenizer.from_pretrained\\("${folder.path}"\\)`,
      ),
    ),
  })
})

test('says where tokenizer.json is, where Mistral’s own is all there is', async () => {
  await using folder = await temporary()
  for (const file of ['params.json', 'tekken.json']) await folder.write(file, '{}')
  await expect(Tokenizer.load(folder.path)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(/has no tokenizer.json: .*tekken.json.* transformers/) as string,
  })
})

test.each([
  [{ model: { type: 'Unigram', vocab: [['a', 0]] } }, 'only BPE'],
  [{ model: { vocab: { a: 0 }, merges: [], continuing_subword_prefix: '##' } }, 'continuing_subword_prefix'],
  [{ pre_tokenizer: { type: 'UnicodeScripts' } }, 'UnicodeScripts'],
  [
    { pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext', invert: true } },
    'MergedWithNext',
  ],
  [
    {
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<s>' } }, { Sequence: { id: 'A' } }],
      },
    },
    '<s>',
  ],
])('refuses what it would get wrong: %j', async (changes, word) => {
  await using folder = await temporary()
  const plain = { model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, decoder: { type: 'ByteLevel' } }
  await folder.write('tokenizer.json', JSON.stringify({ ...plain, ...changes }))
  const loading = Tokenizer.load(folder.path)
  await expect(loading).rejects.toMatchObject({ name: 'ModelError', code: 'unsupported' })
  await expect(loading).rejects.toThrow(word)
})

async function temporary() {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  return {
    path: folder,
    write: (name: string, text: string) => writeFile(path.join(folder, name), text),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

test('a long text is tokenized beside the event loop, and given up when nobody wants it any more', async () => {
  const long = 'Ann has 12 apples.\n\n'.repeat(5000)
  let isDone = false
  const ids = tokenizer.encodeAsync(long, { special: true }).finally(() => (isDone = true))
  await setImmediate()
  expect(isDone).toBe(false)
  expect(await ids).toEqual(tokenizer.encode(long, { special: true }))
  const left = new Error('the client left')
  const abort = new AbortController()
  const unwanted = tokenizer.encodeAsync(long.repeat(50), {}, abort.signal)
  const waits = tokenizer.encodeAsync(long)
  abort.abort(left)
  await expect(unwanted).rejects.toBe(left)
  await expect(tokenizer.encodeAsync(long, {}, abort.signal)).rejects.toBe(left)
  expect(await waits).toEqual(tokenizer.encode(long))
})

test('of the long texts that wait, the shortest is tokenized first', async () => {
  const done: number[] = []
  const lengths = [1000, 3000, 2000, 3000].map((lines) => 'Ann has 12 apples.\n\n'.repeat(lines))
  await Promise.all(lengths.map((text, i) => tokenizer.encodeAsync(text).then(() => done.push(i))))
  expect(done).toEqual([0, 2, 1, 3])
})

test('a thread without anything to do is ended after a while, and the next text has a new one', async () => {
  const long = 'Ann has 12 apples.\n\n'.repeat(1000)
  const terminate = vi.spyOn(Worker.prototype, 'terminate')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    await tokenizer.encodeAsync(long)
    vi.advanceTimersByTime(9_000)
    await tokenizer.encodeAsync(long)
    vi.advanceTimersByTime(9_000)
    expect(terminate).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(terminate).toHaveBeenCalledTimes(1)
    expect(await tokenizer.encodeAsync(long)).toEqual(tokenizer.encode(long))
  } finally {
    vi.useRealTimers()
    terminate.mockRestore()
  }
})

test('runs of combining marks are normalised as everywhere, and very long ones piece by piece', async () => {
  const normalising = await Tokenizer.load(path.join(import.meta.dirname, '../../models/target'))
  const marked = (count: number): string => `a${'\u0323\u0301'.repeat(count)}b`
  for (const text of [marked(1), `e${'\u0301\u0323'.repeat(100)}`, 'கொ நான் ḍ̇'])
    expect(normalising.decode(normalising.encode(text))).toBe(text.normalize('NFC'))
  const long = marked(5000)
  const text = normalising.decode(normalising.encode(long))
  expect(text.normalize('NFC')).toBe(long.normalize('NFC'))
  expect(cutLongRunsOfMarks(long).join('')).toBe(long)
  expect(cutLongRunsOfMarks(long).length).toBe(40)
  expect(cutLongRunsOfMarks('a\u0301'.repeat(1000))).toEqual(['a\u0301'.repeat(1000)])
})
