import type { Area } from '../mutant.ts'

const judge = 'worker/src/lookahead/verifiers/judge.ts'
const exact = 'worker/src/lookahead/verifiers/exact.ts'
const index = 'worker/src/lookahead/verifiers/index.ts'
const verifiersTest = 'worker/src/lookahead/verifiers/verifiers.test.ts'
const verdictsTest = 'gpu-backend/src/engine/verdicts.test.ts'
const acceptanceTest = 'gpu-backend/src/engine/judging/acceptance.test.ts'

export const verifiers: Area = {
  name: 'worker/verifiers',
  mutants: [
    {
      file: judge,
      from: 'target: target.text, draft: draft.text',
      to: 'target: draft.text, draft: draft.text',
      means: 'the judge is asked about the draft against itself',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'x.size === y.size && [...x]',
      to: '[...x]',
      means: 'a draft that leaves numbers out passes `numbers`',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'x.size === y.size && [...x].every((number) => y.has(number))',
      to: '[...y].every((number) => x.has(number))',
      means: 'a draft that names numbers of its own passes `numbers`',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'x.size === y.size && [...x].every((number) => y.has(number))',
      to: 'x.size === y.size',
      means: 'as many numbers count as the same ones',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'new Set(text.match(/\\d+/g))) as',
      to: 'new Set(text.match(/\\d/g))) as',
      means: 'numbers with the same digits count as the same',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: " || target.end === 'length') return",
      to: ') return',
      means: 'a target’s step cut by max_tokens is judged',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: "target.end === 'cap' || ",
      to: '',
      means: 'a target’s step cut by the step cap is judged',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: "draft.end === 'cap' || ",
      to: '',
      means: 'a drafted step that was cut is judged',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: exact,
      from: 'token !== draft.tokens[i])) return',
      to: 'i + 1 < draft.tokens.length && token !== draft.tokens[i])) return',
      means: 'the exact verifier accepts without comparing the last token',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: exact,
      from: "return target.end ? rejected('exact') : undefined",
      to: 'return undefined',
      means: 'the exact verifier leaves a shorter, ended target’s step unruled',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: exact,
      from: 'target.tokens.length === draft.tokens.length',
      to: 'target.tokens.length > 0',
      means: 'the exact verifier accepts at the first token',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: ' && draft.end === target.end) return',
      to: ') return',
      means: 'the same words are accepted though only one of the two ends the text',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: "  if (draft.end === 'text' || target.end === 'text') return rejected('end')\n",
      to: '',
      means: 'a step that ends the text is judged against one that does not',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'tagsIn(a).join() === tagsIn(b).join()',
      to: 'tagsIn(a).every((tag) => tagsIn(b).includes(tag))',
      means: 'a target’s step that ends the thinking is judged against one that does not',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'tagsIn(a).join() === tagsIn(b).join()',
      to: 'tagsIn(b).every((tag) => tagsIn(a).includes(tag))',
      means: 'a drafted step that ends the thinking is judged against one that does not',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'number !== undefined && !draft.text.includes(number)',
      to: 'number !== undefined && draft.text.includes(number)',
      means: 'an unfinished step is rejected for a number that both have',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: "text.replace(/\\s+/g, '').toLowerCase()",
      to: "text.replace(/\\s+/g, '')",
      means: 'the judge is asked about another case',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: "(aligned ? accepted('judge') : rejected('judge'))",
      to: "(aligned ? rejected('judge') : accepted('judge'))",
      means: 'the judge’s verdict is turned round',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'tagsIn(a).join() === tagsIn(b).join()',
      to: 'tagsIn(a).length === tagsIn(b).length',
      means: 'a step that begins the thinking is judged against one that ends it',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: "pair.draft.unlikely ? 'unlikely' : undefined",
      to: 'undefined',
      means: 'a judge is asked about a step that the target finds unlikely',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'const differs = refusal && ',
      to: 'const differs = refusal && false && ',
      means: 'the target writes all of a step whose draft is certain to be rejected',
      tests: [verifiersTest],
    },
    {
      file: judge,
      from: "differs = refusal && draft.end === 'delimiter' && !normalize",
      to: 'differs = refusal && normalize',
      means: 'a drafted step that nobody may judge is rejected while the target says the same',
      tests: [verifiersTest],
    },
    {
      file: judge,
      from: "ask === undefined ? 'no_judge'",
      to: 'ask === undefined ? undefined',
      means: 'without a judge nobody is told that this is why steps are rejected',
      tests: [verifiersTest],
    },
    {
      file: judge,
      from: '    leastLogprob,\n    rule,',
      to: '    rule,',
      means: 'the judge’s verifier is asked about steps however unlikely',
      tests: [verifiersTest, acceptanceTest],
    },
    {
      file: index,
      from: '[exact, judge(options), ...others]',
      to: '[...others, exact, judge(options)]',
      means: 'a verifier from outside does not replace one of the same name',
      tests: [verifiersTest],
    },
  ],
}
