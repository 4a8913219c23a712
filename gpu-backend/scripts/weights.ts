/** What each way to keep the weights costs in accuracy and gains in speed, by plain decoding; `--help` lists the flags. */
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { settleMs } from '../bench/comparison.ts'
import { tokensAfter } from '../bench/forwards.ts'
import { rotated, spread } from '../bench/statistics.ts'
import { isCorrect, testProblems, type Problem } from '../dataset/index.ts'
import { distribution, sample } from '../src/engine/sampling/distribution.ts'
import { Random } from '../src/engine/sampling/random.ts'
import { weightTypes, type WeightType } from '../src/graph/index.ts'
import { Model, type Row, type Scores } from '../src/model/index.ts'

const help = `npm run bench:weights -- [flags]

Solves held-out problems with the shipped target, its linear layers kept in one way and another: accuracy, speed of plain
decoding, and what packed forwards cost. Plain decoding at the model's own sampling; the types take turns.

  --limit N     problems (default 100)
  --rounds N    packed forwards of each size (default 30)
  --seed N      of the sampling (default 1)
  --threads N   default: as the server
  --model PATH  checkpoint (default: the shipped target)
  --json        results alone on stdout`

const packedSizes = [1, 8, 32]
/** Tokens that stand in the pool before a packed forward that is timed. */
const context = 300
const slots = 2048

interface Options {
  limit: number
  rounds: number
  seed: number
  threads: number | undefined
  folder: string
  json: boolean
}

interface Result {
  weights: WeightType
  /** Share of the problems that were solved. */
  accuracy: number
  /** Of plain decoding after the prompt, median over the problems. */
  tokensPerSecond: number
  /** Of packed forwards of so many tokens: the median, and how many times that of one token it is. */
  forwards: { tokens: number; ms: number; relative: number }[]
}

const options = readOptions(process.argv.slice(2))
if (options === 'help') console.log(help)
else {
  const results = await compare(options)
  const { limit, seed } = options
  console.log(options.json ? JSON.stringify({ limit, seed, results }) : table(results))
}

async function compare({ limit, rounds, seed, threads, folder }: Options): Promise<Result[]> {
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

/** @throws TypeError for a flag that cannot be meant */
function readOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      limit: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string' },
      model: { type: 'string', default: path.join(import.meta.dirname, '../models/target') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const whole = (name: 'limit' | 'rounds' | 'seed' | 'threads') => {
    const number = Number(values[name])
    if (!Number.isInteger(number) || number < 1) throw new TypeError(`--${name} takes a whole number from 1 up`)
    return number
  }
  const threads = values.threads === undefined ? undefined : whole('threads')
  const { model: folder, json } = values
  return { limit: whole('limit'), rounds: whole('rounds'), seed: whole('seed'), threads, folder, json }
}
