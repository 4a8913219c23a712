/** How texts are cut into steps, with the tokens of the shipped models. */
import path from 'node:path'
import { channelsAfter } from '@lookahead/sdk/protocol'
import type { StepRulesInput } from '@lookahead/sdk/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { stepRules } from '../../../test/calls.ts'
import { Tokenizer } from '../../tokenizer/index.ts'
import { StepWriter, channelOf, isWholeStep } from './step.ts'
import type { StepWriterOptions } from './step.ts'

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await Tokenizer.load(path.join(import.meta.dirname, '../../../models/target'))
})

const END = 0
type Options = Partial<Omit<StepWriterOptions, 'rules' | 'after'>> & { prompt?: string }

function writer(rules: StepRulesInput, { prompt = '', ...options }: Options = {}): StepWriter {
  const after = channelsAfter(prompt)
  const common = { rules: stepRules(rules), after, room: 1000, endOfText: [END] }
  return new StepWriter(tokenizer, { ...common, ...options })
}

/** The steps of a text and what ended them, each written by itself after those before it. */
function cut(text: string, rules: StepRulesInput, prompt = ''): [string, string | undefined][] {
  const steps: [string, string | undefined][] = []
  let before = prompt
  let step = writer(rules, { prompt: before })
  for (const token of tokenizer.encode(text, { continuing: true })) {
    step.push(token)
    if (!step.ended) continue
    steps.push([step.text, step.end])
    before += step.text
    step = writer(rules, { prompt: before })
  }
  return step.text === '' ? steps : [...steps, [step.text, step.end]]
}

const texts = (text: string, rules: StepRulesInput, prompt = ''): string[] =>
  cut(text, rules, prompt).map(([step]) => step)

const story = 'Ann has 3.5 apples. Is it so? Yes: 3\n+ 0.5;\n\nSo 4. Bob (a boy) has none.'

describe('a step ends', () => {
  test('with a blank line, unless something else is said', () => {
    expect(texts(story, {})).toEqual([
      'Ann has 3.5 apples. Is it so? Yes: 3\n+ 0.5;\n\n',
      'So 4. Bob (a boy) has none.',
    ])
  })

  test('with whichever of several delimiters comes first', () => {
    expect(texts('a; b. c\nd; e', { delimiters: [';', '\n'] })).toEqual(['a;', ' b. c\n', 'd;', ' e'])
    expect(texts('a;; b', { delimiters: [';; '] })).toEqual(['a;; b'])
  })

  test('with a sentence, where that is asked for', () => {
    expect(texts(story, { sentences: true })).toEqual([
      'Ann has 3.5 apples.',
      ' Is it so?',
      ' Yes: 3\n+ 0.5;\n\n',
      // A dot after a number may be a decimal's.
      'So 4. Bob (a boy) has none.',
    ])
    expect(texts(story, { sentences: true, delimiters: [] })).toHaveLength(3)
  })

  test('with the cap', () => {
    for (const cap of [1, 5]) {
      const steps = cut(story, { delimiters: ['?'], max_tokens: cap })
      expect(steps.map(([text]) => text).join('')).toBe(story)
      for (const [text, end] of steps.slice(0, -1)) {
        if (end === 'cap') expect(tokenizer.encode(text, { continuing: true }).length).toBeLessThanOrEqual(cap)
        else expect([text.endsWith('?'), end]).toEqual([true, 'delimiter'])
      }
    }
  })

  test('with nothing else, where there is no delimiter', () => {
    expect(texts(story, { delimiters: [] })).toEqual([story])
  })
})

test('white space alone is no step', () => {
  expect(texts('\n\n \n\nSo.\n\nNo.\n\n', {})).toEqual(['\n\n \n\nSo.\n\n', 'No.\n\n'])
})

describe('reasoning and answer', () => {
  const rules: StepRulesInput = { delimiters: ['\n'], reasoning: { delimiters: [';'] }, answer: { sentences: true } }

  test('have rules of their own, and share the others', () => {
    const text = 'a; b\nc;</think> d; so it is. f\ng'
    expect(texts(text, rules, '<think>')).toEqual(['a;', ' b\nc;', '</think> d; so it is.', ' f\n', 'g'])
    expect(texts('a;\nbe. c', rules)).toEqual(['a;\n', 'be.', ' c'])
  })

  test('where a step begins decides, though thinking ends or begins within it', () => {
    expect(texts('a</think>\nbe. c; do. e', rules, '<think>')).toEqual(['a</think>\nbe. c;', ' do.', ' e'])
    expect(texts('as. b <think>\nco. d; e\nf;', rules)).toEqual(['as.', ' b <think>\n', 'co. d;', ' e\nf;'])
  })

  test('a step that begins with a tag belongs to what the tag begins, also where tags are cut', () => {
    expect(texts('\n<think>\na\nb; c', rules)).toEqual(['\n<think>\na\nb;', ' c'])
    expect(texts('nk>\na; be.c', rules, '<think>x</thi')).toEqual(['nk>\n', 'a; be.', 'c'])
  })

  test('have caps of their own', () => {
    const steps = cut('abcdefgh</think>abcdefgh', { max_tokens: 3, answer: { max_tokens: 1000 } }, '<think>')
    expect(steps.every(([, end], i) => (end === 'cap') === i < steps.length - 1)).toBe(true)
    expect(steps.at(-1)![0]).toContain('efgh')
  })

  test('of a step that is known, its first text tells', () => {
    const of = (step: string, before: string) => channelOf(step, channelsAfter(before))
    expect(of('a</think>', '<think>')).toBe('reasoning')
    expect(of('\n</think>\n', '<think>')).toBe('answer')
    expect(of('<think>', '')).toBe('reasoning')
    expect(of('a<think>', '')).toBe('answer')
  })
})

describe('several steps that are written as if they were one', () => {
  const text = 'A b.\n\nC d e.\n\nF.\n\nG'
  const write = (rules: StepRulesInput, options: Options): StepWriter => {
    const step = writer(rules, options)
    for (const token of tokenizer.encode(text, { continuing: true })) step.push(token)
    return step
  }

  test('end with the last of them, and are counted', () => {
    expect(write({}, { steps: 2 })).toMatchObject({ text: 'A b.\n\nC d e.\n\n', end: 'delimiter', steps: 2 })
    expect(write({}, { steps: Infinity })).toMatchObject({ text, end: undefined, steps: 4 })
  })

  test('are cut where each by itself would be', () => {
    for (const rules of [{}, { sentences: true }, { max_tokens: 1 }, { max_tokens: 5 }, { delimiters: ['d'] }])
      expect(write(rules, { steps: Infinity }).steps).toBe(cut(text, rules).length)
    expect(write({ max_tokens: 2 }, { steps: 3 })).toMatchObject({ end: 'cap', steps: 3 })
  })

  test('end where there is no more room, and with the text', () => {
    const whole = tokenizer.encode('A b.\n\n', { continuing: true })
    expect(write({}, { steps: 2, room: whole.length })).toMatchObject({ text: 'A b.\n\n', end: 'length', steps: 1 })
    const step = writer({}, { steps: 3 })
    for (const token of [...whole, END, 5]) step.push(token)
    expect(step).toMatchObject({ text: 'A b.\n\n', end: 'text', steps: 2, tokens: [...whole, END] })
  })
})

test('a step that ends where room and cap do was cut for want of room, but a whole one was not cut', () => {
  const tokens = tokenizer.encode('Ab.\n\n', { continuing: true })
  for (const [most, end] of [
    [tokens.length, 'delimiter'],
    [tokens.length - 1, 'length'],
  ] as const) {
    const step = writer({ max_tokens: most }, { room: most })
    for (const token of tokens) step.push(token)
    expect(step.end).toBe(end)
  }
})

test('a text from elsewhere is a whole step if its end is one', () => {
  const whole = (text: string, rules: StepRulesInput = {}) => isWholeStep(text, stepRules(rules).answer)
  expect(['So 3.\n\n', 'So 3.\n', 'So\n\n3', '\n\n'].map((text) => whole(text))).toEqual([true, false, false, false])
  const sentences = { delimiters: [], sentences: true }
  expect(['So 3.', 'So it is. ', 'So 3', 'As e.g.'].map((text) => whole(text, sentences))).toEqual([
    true,
    true,
    false,
    false,
  ])
})
