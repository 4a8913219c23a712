/** What each way to keep the weights costs in accuracy and gains in speed, by plain decoding; `--help` lists the flags. */
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { settleMs } from '../bench/comparison.ts'
import { tokensAfter } from '../bench/forwards.ts'
import { rotated, spread } from '../bench/statistics.ts'
import { isCorrect, testProblems, type Problem } from '../dataset/index.ts'
import { distribution, sample } from '../src/engine/sampling/distribution.ts'
import { Random } from '../src/engine/sampling/random.ts'
import { script, some, whole } from '../src/flags.ts'
import { weightTypes, type WeightType } from '../src/graph/index.ts'
import { Model, type Row, type Scores } from '../src/model/index.ts'

const packedSizes = [1, 8, 32]
/** Tokens that stand in the pool before a packed forward that is timed. */
const context = 300
const slots = 2048

type Options = ReturnType<typeof readOptions>

interface Result {
  weights: WeightType
  /** Share of the problems that were solved. */
  accuracy: number
  /** Of plain decoding after the prompt, median over the problems. */
  tokensPerSecond: number
  /** Of packed forwards of so many tokens: the median, and how many times that of one token it is. */
  forwards: { tokens: number; ms: number; relative: number }[]
}

await main(readOptions())

async function main(options: Options): Promise<void> {
  const results = await compare(options)
  const { limit, seed, json } = options
  console.log(json ? JSON.stringify({ limit, seed, results }) : table(results))
}

async function compare({ limit, rounds, seed, threads, model: folder }: Options): Promise<Result[]> {
  const models = new Map<WeightType, Model>()
  try {
    for (const weights of weightTypes) models.set(weights, await Model.load(folder, { slots, threads, weights }))
    const solved = await solve(models, testProblems(limit), seed)
    const costs = await packedCosts(models, rounds)
    return weightTypes.map((weights) => {
      const { correct, speeds } = solved.get(weights)!
      const medians = packedSizes.map((tokens) => ({ tokens, ms: spread(costs.get(weights)!.get(tokens)!).median }))
      const forwards = medians.map((cost) => ({ ...cost, relative: cost.ms / medians[0]!.ms }))
      return { weights, accuracy: correct / limit, tokensPerSecond: spread(speeds).median, forwards }
    })
  } finally {
    for (const model of models.values()) model.close()
  }
}

async function solve(models: ReadonlyMap<WeightType, Model>, problems: readonly Problem[], seed: number) {
  const solved = new Map([...models.keys()].map((weights) => [weights, { correct: 0, speeds: [] as number[] }]))
  for (const [at, problem] of problems.entries()) {
    for (const [weights, model] of rotated([...models], at)) {
      const { text, tokensPerSecond } = await decode(model, problem.question, new Random(seed, at))
      const own = solved.get(weights)!
      own.speeds.push(tokensPerSecond)
      if (isCorrect(problem, text)) own.correct++
    }
    const soFar = [...solved].map(([weights, { correct }]) => `${weights} ${correct}`)
    console.error(`${at + 1} of ${problems.length} problems; correct: ${soFar.join(', ')}`)
  }
  return solved
}

/** Writes an answer token by token. The speed is that of the tokens after the first, which the prompt's forward gives. */
async function decode(model: Model, question: string, random: Random) {
  const { tokenizer, generation, config } = model
  const { temperature = 1, topP = 1, topK = 0, eosTokenIds } = generation
  const parameters = { temperature, topP, topK, minP: 0, seed: 0 }
  const draw = ([scores]: Scores[]) => sample(distribution(scores!, parameters), random.next())
  const prompt = tokenizer.encode(
    tokenizer.renderChat([{ role: 'user', content: question }], { addGenerationPrompt: true }),
  )
  const output = [draw(await model.forward([row(prompt, 0)]))]
  const limit = Math.min(config.maxPositions, slots) - prompt.length
  const started = performance.now()
  while (!eosTokenIds.includes(output.at(-1)!) && output.length < limit)
    output.push(draw(await model.forward([row([output.at(-1)!], prompt.length + output.length - 1)])))
  const seconds = (performance.now() - started) / 1000
  const text = Buffer.concat(output.map((token) => tokenizer.decodeToken(token))).toString()
  return { text, tokensPerSecond: Math.max(output.length - 1, 1) / seconds }
}

/** `tokens` after those of slots 0 to `start` - 1, in the slots that follow; the last one's logits are wanted. */
function row(tokens: number[], start: number): Row {
  return { ...tokensAfter(start, tokens.length), tokens, logitRows: [tokens.length - 1] }
}

/** Milliseconds of each type's forwards of each size. */
async function packedCosts(models: ReadonlyMap<WeightType, Model>, rounds: number) {
  const times = new Map(
    [...models.keys()].map((weights) => [weights, new Map(packedSizes.map((size) => [size, [] as number[]]))]),
  )
  const warmUp = 2
  for (let round = -warmUp; round < rounds; round++)
    for (const [weights, model] of rotated([...models], round + warmUp)) {
      await wait(settleMs)
      await model.forward([tokensAfter(context, 1)])
      for (const size of packedSizes) {
        const packed = tokensAfter(context, size)
        const started = performance.now()
        await model.forward([packed])
        if (round >= 0)
          times
            .get(weights)!
            .get(size)!
            .push(performance.now() - started)
      }
    }
  return times
}

function table(results: readonly Result[]): string {
  const head = ['weights', 'accuracy', 'tokens/s', ...packedSizes.map((tokens) => `${tokens} in a forward`)]
  const lines = results.map(({ weights, accuracy, tokensPerSecond, forwards }) => [
    weights,
    `${(100 * accuracy).toFixed(1)} %`,
    tokensPerSecond.toFixed(0),
    ...forwards.map(({ ms, relative }) => `${ms.toFixed(2)} ms (${relative.toFixed(2)}×)`),
  ])
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function readOptions() {
  return script(
    'bench:weights',
    `Solves held-out problems with the shipped target, its linear layers kept in one way and another: accuracy, speed of plain
decoding, and what packed forwards cost. Plain decoding at the model's own sampling; the types take turns.`,
  )
    .option('--limit <n>', 'problems', whole(1), 100)
    .option('--rounds <n>', 'packed forwards of each size', whole(1), 30)
    .option('--seed <n>', 'of the sampling', whole(1), 1)
    .option('--threads <n>', 'default: as the server', whole(1))
    .option('--model <folder>', 'a checkpoint', some, path.join(import.meta.dirname, '../models/target'))
    .option('--json', 'results alone on stdout', false)
    .parse()
    .opts()
}
