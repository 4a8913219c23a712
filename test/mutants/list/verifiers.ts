import type { Area } from '../mutant.ts'

const folder = 'worker/src/lookahead/verifiers'
const judge = `${folder}/judge.ts`
const exact = `${folder}/exact.ts`
const index = `${folder}/index.ts`
const chain = `${folder}/chain.ts`
const likelihood = `${folder}/likelihood.ts`
const random = `${folder}/random.ts`
const score = `${folder}/score.ts`
const same = `${folder}/rules/same.ts`
const halfStep = `${folder}/rules/half-step.ts`
const ends = `${folder}/rules/ends.ts`
const numbers = `${folder}/rules/numbers.ts`
const refusals = `${folder}/rules/refusals.ts`
const rules = `${folder}/rules/index.ts`
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
      file: numbers,
      from: 'x.size === y.size && [...x]',
      to: '[...x]',
      means: 'a draft that leaves numbers out passes `numbers`',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: numbers,
      from: 'x.size === y.size && [...x].every((number) => y.has(number))',
      to: '[...y].every((number) => x.has(number))',
      means: 'a draft that names numbers of its own passes `numbers`',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: numbers,
      from: 'x.size === y.size && [...x].every((number) => y.has(number))',
      to: 'x.size === y.size',
      means: 'as many numbers count as the same ones',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: numbers,
      from: 'new Set(text.match(/\\d+/g))) as',
      to: 'new Set(text.match(/\\d/g))) as',
      means: 'numbers with the same digits count as the same',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: halfStep,
      from: "end === 'length' || (",
      to: '(',
      means: 'a target’s step cut by max_tokens is judged',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: halfStep,
      from: " || end === 'cap')",
      to: ')',
      means: 'a target’s step cut by the step cap is judged',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: halfStep,
      from: "draft.end === 'cap' || ",
      to: '',
      means: 'a drafted step that was cut is judged',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: halfStep,
      from: "halfSteps === 'reject' && ",
      to: '',
      means: 'half steps are rejected though they are to be verified',
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
      file: same,
      from: 'draft.end === target.end && ',
      to: 'target.end && ',
      means: 'the same words are accepted though only one of the two ends the text',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: ends,
      from: 'endsText || ',
      to: '',
      means: 'a step that ends the text is judged against one that does not',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: ends,
      from: 'tagsIn(a).join() === tagsIn(b).join()',
      to: 'tagsIn(a).every((tag) => tagsIn(b).includes(tag))',
      means: 'a target’s step that ends the thinking is judged against one that does not',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: ends,
      from: 'tagsIn(a).join() === tagsIn(b).join()',
      to: 'tagsIn(b).every((tag) => tagsIn(a).includes(tag))',
      means: 'a drafted step that ends the thinking is judged against one that does not',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: numbers,
      from: 'number !== undefined && !draft.text.includes(number)',
      to: 'number !== undefined && draft.text.includes(number)',
      means: 'an unfinished step is rejected for a number that both have',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: same,
      from: "text.replace(/\\s+/g, '').toLowerCase()",
      to: "text.replace(/\\s+/g, '')",
      means: 'the judge is asked about another case',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: judge,
      from: 'answer > 0.5',
      to: 'answer >= 0.5',
      means: 'a judge that cannot decide accepts',
      tests: [verifiersTest],
    },
    {
      file: judge,
      from: 'answer > 0.5',
      to: 'answer <= 0.5',
      means: 'the judge’s verdict is turned round',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: ends,
      from: 'tagsIn(a).join() === tagsIn(b).join()',
      to: 'tagsIn(a).length === tagsIn(b).length',
      means: 'a step that begins the thinking is judged against one that ends it',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: refusals,
      from: '(draft) => draft.unlikely',
      to: '() => false',
      means: 'a judge is asked about a step that the target finds unlikely',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: refusals,
      from: 'const differs = ',
      to: 'const differs = false && ',
      means: 'the target writes all of a step whose draft is certain to be rejected',
      tests: [verifiersTest],
    },
    {
      file: refusals,
      from: "differs = draft.end === 'delimiter' && !normalize",
      to: 'differs = normalize',
      means: 'a drafted step that nobody may judge is rejected while the target says the same',
      tests: [verifiersTest],
    },
    {
      file: judge,
      from: 'chain(name, ...known, noJudge)',
      to: 'chain(name, ...known)',
      means: 'without a judge nobody is told that this is why steps are rejected',
      tests: [verifiersTest],
    },
    {
      file: refusals,
      from: '  leastLogprob,\n})',
      to: '})',
      means: 'the judge’s verifier is asked about steps however unlikely',
      tests: [verifiersTest, acceptanceTest],
    },
    {
      file: index,
      from: '[...ours, ...others]',
      to: '[...others, ...ours]',
      means: 'a verifier from outside does not replace one of the same name',
      tests: [verifiersTest],
    },
    {
      file: index,
      from: 'judge({ ...options, rules: [] }',
      to: 'judge({ ...options }',
      means: '`judge-only` rejects other numbers unasked',
      tests: [verifiersTest],
    },
    {
      file: judge,
      from: '...rules.map((rule) => contentRules[rule])',
      to: '...Object.values(contentRules)',
      means: 'rules that the operator left out rule all the same',
      tests: [verifiersTest],
    },
    {
      file: rules,
      from: '[sameTokens, halfStep, sameText, ends]',
      to: '[sameTokens, halfStep, ends]',
      means: 'a judge is asked about the same text in other tokens',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: chain,
      from: 'filter((i) => !rulings[i])',
      to: 'filter(() => true)',
      means: 'every part of a chain is asked about everything, and the last one has its way',
      tests: [verifiersTest],
    },
    {
      file: chain,
      from: 'Math.max(...leastLogprobs)',
      to: 'Math.min(...leastLogprobs)',
      means: 'a chain is as lenient as the most lenient of its parts',
      tests: [verifiersTest],
    },
    {
      file: chain,
      from: 'Math.min(...keepers',
      to: 'Math.max(...keepers',
      means: 'a chain keeps the tokens that the most lenient of its parts keeps',
      tests: [verifiersTest],
    },
    {
      file: likelihood,
      from: 'typicality(token, p(i)) < threshold',
      to: 'typicality(token, p(0)) < threshold',
      means: 'all tokens are held against what is drawn in the first place',
      tests: [verifiersTest],
    },
    {
      file: likelihood,
      from: 'if (place < 0) return 0\n',
      to: 'if (place < 0) return 1\n',
      means: 'what the target cannot draw is kept',
      tests: [verifiersTest],
    },
    {
      file: likelihood,
      from: ' * Math.exp(entropy)',
      to: '',
      means: 'one of many wordings is too unlikely to stand',
      tests: [verifiersTest],
    },
    {
      file: likelihood,
      from: 'likelihood({ threshold: other })',
      to: 'likelihood({ threshold })',
      means: 'a threshold that is asked for changes nothing',
      tests: [verifiersTest, verdictsTest],
    },
    {
      file: score,
      from: 'n >= threshold',
      to: 'n > threshold',
      means: 'a score of the threshold is not enough',
      tests: [verifiersTest],
    },
    {
      file: random,
      from: '`${seed}/${draft.text}`',
      to: 'draft.text',
      means: 'every coin falls alike',
      tests: [verifiersTest],
    },
  ],
}
