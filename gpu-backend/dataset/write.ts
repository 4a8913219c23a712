// Writes training data as JSON lines.
//   node write.ts --kind solutions --split train --count 150000 --out solutions.jsonl
//   node write.ts --kind pairs     --split train --count 200000 --out pairs.jsonl
//   node write.ts --kind corpus    --count 6000                 --out corpus.txt   (text to train the tokenizer on)
import { closeSync, openSync, writeSync } from 'node:fs'
import { command, Option, whole } from '../src/flags.ts'
import { judgePrompt } from '../src/engine/judging/judge-prompt.ts'
import { judgePairs } from './judge-pairs.ts'
import { generateProblem } from './problem.ts'
import { Random } from './random.ts'
import { NAME_ENDS, NAME_STARTS, namesOf } from './splits.ts'

const { kind, split, count, out } = command('node write.ts', 'Writes training data as JSON lines.')
  .addOption(
    new Option('--kind <kind>').choices(['solutions', 'pairs', 'corpus'] as const).default('solutions' as const),
  )
  .addOption(new Option('--split <split>').choices(['train', 'validation', 'test'] as const).default('train' as const))
  .option('--count <n>', 'lines', whole(1), 1000)
  .requiredOption('--out <file>', 'where to')
  .parse()
  .opts()

function* solutions(): Generator<string> {
  for (let i = 0; i < count; i++) {
    const problem = generateProblem(i, split)
    const { steps, answer } = problem.solve(0)
    yield JSON.stringify({
      id: problem.id,
      family: problem.family,
      question: problem.question,
      steps,
      answer,
      expected: problem.answer,
    })
  }
}

function* pairs(): Generator<string> {
  for (let i = 0, n = 0; n < count; i++) {
    for (const { target, draft, label, why } of judgePairs(i, split)) {
      if (n++ < count) yield JSON.stringify({ prompt: judgePrompt(target, draft), label, why })
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

const lines = { solutions, pairs, corpus }[kind]
const file = openSync(out, 'w')
for (const line of lines()) writeSync(file, `${line}\n`)
closeSync(file)
