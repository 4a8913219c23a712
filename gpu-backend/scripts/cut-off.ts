/**
 * Whether the measured cost plane of token speculation (`engine/speculation/costs.ts`) is worth its lines; `--help` lists the flags. Waves of
 * requests are decoded without guesses, with the plane, and with plain cut-offs by the number of requests, in turns.
 */
import path from 'node:path'
import { decodePlainly } from '../bench/contenders/lookahead.ts'
import { rotated, spread } from '../bench/statistics.ts'
import { testProblems } from '../dataset/index.ts'
import { Engine } from '../src/engine/engine.ts'
import { type Costs, nominal } from '../src/engine/speculation/costs.ts'
import { Option, script, whole } from '../src/flags.ts'
import { weightTypes } from '../src/graph/index.ts'

const waves = [1, 2, 4, 8, 16, 32]
const cutOffs = [1, 2, 4, 8, 16]

/** Up to `most` requests as for one alone, with more no guesses at all, as engines do it that switch speculation off by the batch size. */
const cutOff = (most: number): Costs => ({
  forward: (rows, tokens) => (rows > most ? tokens : nominal.forward(1, tokens / rows)),
  guess: () => nominal.guess(1),
})

const { rounds, tokens, threads, weights } = readOptions()
const engine = await Engine.load({ models: path.join(import.meta.dirname, '../models'), threads, weights })
const plane = engine.costsOf.bind(engine)
const ways = new Map<string, Engine['costsOf'] | undefined>([
  ['plain', undefined],
  ['plane', plane],
  ...cutOffs.map((most) => [`at most ${most}`, () => cutOff(most)] as const),
])
const prompts = testProblems(Math.max(...waves)).map(({ question }) =>
  engine.target.model.tokenizer.renderChat([{ role: 'user', content: question }], { addGenerationPrompt: true }),
)

await wave('plane', 2)
console.log(`| requests | ${[...ways.keys()].join(' | ')} |\n|${' --- |'.repeat(ways.size + 1)}`)
for (const requests of waves) {
  const speeds = new Map([...ways.keys()].map((way) => [way, [] as number[]]))
  for (let round = 0; round < rounds; round++)
    for (const way of rotated([...ways.keys()], round)) speeds.get(way)!.push(await wave(way, requests))
  const plain = spread(speeds.get('plain')!).median
  const cells = [...speeds.values()].map((values) => {
    const { low, median, high } = spread(values)
    return [median, low, high].map((speed) => (speed / plain).toFixed(2))
  })
  console.log(`| ${requests} | ${cells.map(([median, low, high]) => `${median} (${low} – ${high})`).join(' | ')} |`)
}
engine.close()

/** Tokens a second of all of them together. */
async function wave(way: string, requests: number): Promise<number> {
  for (const { runner } of engine.runners) runner.kv.prefixes.evict(Infinity)
  const costs = ways.get(way)
  engine.costsOf = costs ?? plane
  const started = performance.now()
  const texts = prompts
    .slice(0, requests)
    .map((prompt) => decodePlainly(engine, prompt, tokens, { speculate: !!costs }))
  const written = (await Promise.all(texts)).reduce((sum, text) => sum + text.tokens.length, 0)
  return (1000 * written) / (performance.now() - started)
}

function readOptions() {
  return script(
    'bench:cut-off',
    `Tokens a second of several requests at once, against the same without guesses: token speculation by measured costs (the plane), and
as for one request up to so many of them, with more none. Median and quartiles.`,
  )
    .option('--rounds <n>', 'waves of each number and way', whole(1), 5)
    .option('--tokens <n>', 'of each text', whole(1), 96)
    .option('--threads <n>', 'default: as the server', whole(1))
    .addOption(
      new Option('--weights <type>', 'how the linear layers are kept').choices(weightTypes).default(weightTypes[0]),
    )
    .parse()
    .opts()
}
