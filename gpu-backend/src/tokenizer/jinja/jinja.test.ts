import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { published } from '../../../test/published-templates.ts'
import { Template, TemplateError } from './index.ts'

/** Python's message, or null where it only matters that Python refuses. */
type Outcome = { text: string } | { error: string | null }

/** By Python's jinja2 with the settings of transformers: scripts/templates.py. */
const reference = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../../fixtures/templates.json'), 'utf8'),
) as {
  tokens: Record<string, string>
  variables: Record<string, unknown>
  conversations: Record<string, unknown>[]
  renderings: (string | { error: string | null })[][]
  snippets: ({ template: string } & Outcome)[]
}

beforeAll(() => void vi.useFakeTimers({ now: new Date(2025, 2, 4, 15, 6, 7), toFake: ['Date'] }))
afterAll(() => void vi.useRealTimers())

function render(template: string, variables: Record<string, unknown>): Outcome {
  try {
    return { text: new Template(template).render(variables) }
  } catch (error) {
    if (error instanceof TemplateError) return { error: error.message }
    throw error
  }
}

/** Messages of the parser are our own. */
const isOfTheParser = (message: string) => message.startsWith('line ')

describe('the language', () => {
  test.each(reference.snippets)('$template', ({ template, ...expected }) => {
    const outcome = render(template, reference.variables)
    if ('text' in expected) return expect(outcome).toEqual(expected)
    if (!('error' in outcome) || expected.error === null || isOfTheParser(outcome.error!))
      return expect(outcome).toEqual({ error: expect.any(String) as string })
    return expect(outcome).toEqual(expected)
  })
})

const tags = ['autoescape', 'extends', 'from', 'import', 'include', 'print']
const filters = ['pprint', 'random', 'striptags', 'urlize', 'wordwrap']

test.each([
  ...tags.map((name) => [name, `{% ${name} 'a' %}`]),
  ...filters.map((name) => [name, `{{ 'a' | ${name} }}`]),
])('%s is refused by its name', (name, template) => {
  expect(render(template!, {})).toEqual({
    error: expect.stringMatching(`'${name}' is not supported in templates$`) as string,
  })
})

describe('published templates', () => {
  const { tokens, conversations, renderings } = reference
  const templates = published()

  test('are those that the reference was made with', () => {
    expect(templates.map(([, template]) => template)).toHaveLength(renderings.length)
  })

  test.each(templates.map(([name, template], i) => ({ name, template, expected: renderings[i]! })))(
    '$name',
    ({ template, expected }) => {
      for (const [i, conversation] of conversations.entries()) {
        const given = { tools: null, documents: null, ...tokens, add_generation_prompt: false, ...conversation }
        const outcome = render(template, given)
        const shown = 'text' in outcome ? digest(outcome.text) : outcome
        const wanted = expected[i]!
        const isVague = typeof wanted !== 'string' && wanted.error === null
        const about = `conversation ${i}: ${JSON.stringify(outcome)}`
        expect(shown, about).toEqual(isVague ? { error: expect.any(String) as string } : wanted)
      }
    },
  )
})

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32)
