/** Chat messages in OpenAI's words. */
import * as v from 'valibot'
import { refused } from './fields.ts'

/** Text, or parts of text. @param types what the parts of text are called */
export const content = (...types: [string, ...string[]]) =>
  v.pipe(
    v.union(
      [v.string(), v.array(v.looseObject({ type: v.picklist(types), text: v.string() }))],
      `must be text, or parts of type ${types.map((type) => `"${type}"`).join(' or ')}: the models read nothing else`,
    ),
    v.transform((parts) => (typeof parts === 'string' ? parts : parts.map(({ text }) => text).join('\n'))),
  )

export const role = v.pipe(
  v.picklist(['system', 'developer', 'user', 'assistant'], 'must be system, developer, user or assistant'),
  v.transform((name) => (name === 'developer' ? 'system' : name)),
)

/** What an assistant thought before is left out: templates of models that think leave it out themselves. */
export const ChatMessage = v.pipe(
  v.object({
    role,
    content: v.nullish(content('text'), ''),
    tool_calls: refused('the models call no tools'),
    function_call: refused('the models call no functions'),
    audio: refused('the models read text'),
  }),
  v.transform(({ role: of, content: text }) => ({ role: of, content: text })),
)
