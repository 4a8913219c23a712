// Writes training data as JSON lines.
//   node write.ts --kind solutions --split train --count 150000 --out solutions.jsonl
//   node write.ts --kind long      --split train --count 3000 --parts 2-4 --out long.jsonl
//   node write.ts --kind outline   --split train --count 3000 --parts 2-9 --out outline.jsonl
//   node write.ts --kind pairs     --split train --count 200000 --hard 0.7 --out pairs.jsonl
//   node write.ts --kind copies    --split validation           --out copies.jsonl (each of the tokenizer's tokens in the name of a thing)
//   node write.ts --kind corpus    --count 6000                 --out corpus.txt   (text to train the tokenizer on)
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { command, decimal, matching, Option, whole } from '../src/flags.ts'
import { judgePrompt } from '../src/engine/judging/judge-prompt.ts'
import { hardPair } from './hard-pairs.ts'
import { inInventedWords, inScrambledWords, wordTokens } from './invented.ts'
import type { WordTokens } from './invented.ts'
import { judgePairs } from './judge-pairs.ts'
import { generateLongProblem, type LongProblem, outlineOf } from './long.ts'
import { generateProblem, type Problem } from './problem.ts'
import { Random } from './random.ts'
import { knownWords, reworded, wordsOfProblem } from './rewording.ts'
import { NAME_ENDS, NAME_STARTS, namesOf } from './splits.ts'

const { kind, split, count, first, parts, bare, invented, scrambled, losses, far, narrow, hard, out } = command(
  'node write.ts',
  'Writes training data as JSON lines.',
)
  .addOption(
    new Option('--kind <kind>')
      .choices(['solutions', 'long', 'outline', 'pairs', 'copies', 'corpus'] as const)
      .default('solutions' as const),
  )
  .addOption(new Option('--split <split>').choices(['train', 'validation', 'test'] as const).default('train' as const))
  .option('--count <n>', 'lines, but of copies', whole(1), 1000)
  .option('--first <n>', 'number of the first problem', whole(0), 0)
  .option('--parts <fewest-most>', 'of long problems', matching(/^\d+-\d+$/, 'two numbers, such as 4-8'), '4-8')
  .option('--bare', 'outlines of which only the questions are left', false)
  .option('--invented <share>', 'of problems and parts that are told in invented words', decimal(0, 1), 0)
  .option('--scrambled <share>', 'of problems and parts whose words are exchanged for any others', decimal(0, 1), 0)
  .option('--losses <file>', 'of `evaluate.py copies`: most invented words are made of tokens that are hardly copied')
  .option('--far <share>', 'of steps that are said in the second style', decimal(0, 1), 0)
  .option('--narrow', 'always the same wording and name: the data of draft-far', false)
  .option('--hard <share>', 'of pairs that look much the same, mostly in invented words', decimal(0, 1), 0)
  .requiredOption('--out <file>', 'where to')
  .parse()
  .opts()

function* solutions(): Generator<string> {
  for (let i = first; i < first + count; i++)
    yield solved(maybeInvented(generateProblem(i, split), new Random(`words/${split}/${i}`)))
}

function* long(): Generator<string> {
  for (let i = first; i < first + count; i++) yield solved(longProblem(i))
}

const [fewest, most] = parts.split('-').map(Number) as [number, number]
const longProblem = (index: number): LongProblem =>
  generateLongProblem(index, split, { parts: [fewest, most], reword: maybeInvented })

function* outline(): Generator<string> {
  for (let i = first; i < first + count; i++) {
    const problem = longProblem(i)
    const { id, family, question, answer: expected } = problem
    const { answer } = problem.solve(0, { far, narrow })
    const { steps, roles } = outlineOf(problem, { far, bare })
    yield JSON.stringify({ id, family, question, steps, roles, answer, expected })
  }
}

const hardOnes = losses === undefined ? undefined : hardTokens(losses)

function maybeInvented(problem: Problem, random: Random): Problem {
  if (scrambled > 0 && random.chance(scrambled)) return inScrambledWords(problem, split, random, hardOnes)
  return random.chance(invented) ? inInventedWords(problem, split, random, hardOnes) : problem
}

/** Those with a loss above 1. */
function hardTokens(path: string): WordTokens {
  const means = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>
  const { first: firsts, later: laters } = wordTokens()
  return {
    first: firsts.filter((token) => (means[`Ġ${token}`] ?? 0) > 1),
    later: laters.filter((token) => (means[token] ?? 0) > 1),
  }
}

/** Three problems for each token of words, beginnings of words first, whose thing has a name with it. */
function* copies(): Generator<string> {
  const { first: firsts, later: laters } = wordTokens()
  const random = new Random(`copies/${split}`)
  const things = knownWords('things', split)
  const named = [
    ...firsts.map((token) => ({ token: `Ġ${token}`, name: () => token + random.pick(laters) })),
    ...laters.map((token) => ({ token, name: () => random.pick(firsts) + token })),
  ]
  let at = first
  for (const { token, name } of named)
    for (let left = 3; left > 0; at++) {
      const problem = generateProblem(at, split)
      const thing = wordsOfProblem(problem).find((word) => things.includes(word))
      if (thing === undefined) continue
      const { question, solve } = reworded(problem, problem.id, new Map([[thing, name()]]))
      yield JSON.stringify({ token, question, steps: solve(0).steps.slice(0, 2) })
      left--
    }
}

function solved({ id, family, question, answer: expected, solve }: Problem): string {
  const { steps, answer } = solve(0, { far, narrow })
  return JSON.stringify({ id, family, question, steps, answer, expected })
}

function* pairs(): Generator<string> {
  const random = new Random(`kinds of pairs/${split}`)
  for (let i = first, n = 0; n < count; i++) {
    const made = random.chance(hard) ? [0, 1, 2, 3].map((k) => hardPair(4 * i + k, split)) : judgePairs(i, split)
    for (const { target, draft, label, why, strange } of made) {
      if (n++ < count) yield JSON.stringify({ prompt: judgePrompt(target, draft), label, why, strange })
    }
  }
}

/** Names are cut into their syllables, so that the tokenizer learns the syllables and not the training names. */
function* corpus(): Generator<string> {
  const random = new Random('corpus')
  const names = new RegExp(`\\b(${namesOf('train').join('|')})\\b`, 'g')
  for (let i = 0; i < count; i++) {
    const problem = generateProblem(i, 'train')
    const { steps, answer } = problem.solve(0)
    const text = `${problem.question}\n${steps.join('')}\n\n${answer}`
    yield text.replace(names, () => random.pick(NAME_STARTS)) + `\n${random.pick(NAME_ENDS)}\naligned\nunaligned\0`
    yield judgePrompt('', '').replace(/<\|im_(start|end)\|>/g, '') + '\0'
  }
}

const lines = { solutions, long, outline, pairs, copies, corpus }[kind]
const file = openSync(out, 'w')
for (const line of lines()) writeSync(file, `${line}\n`)
closeSync(file)
