/** Writes a folder of models with random weights at the shapes of real ones; `--help` lists the flags. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { formatBytes } from '../src/bytes.ts'
import { ModelError } from '../src/checkpoint/index.ts'
import { Interrupted, interruptible } from '../src/commands/interrupt.ts'
import { Option, script, some } from '../src/flags.ts'
import { weightTypes } from '../src/graph/index.ts'
import { devices } from '../src/onnxruntime/index.ts'
import { writeRandomModel } from './random-model.ts'
import { shapeNames, shapes, type Shape } from './shapes.ts'

const roles = ['target', 'draft', 'judge'] as const

const shapeOption = (role: (typeof roles)[number]) =>
  new Option(`--${role} <shape>`, `of ${shapeNames.join(', ')} (default: none is written)`).choices(shapeNames)

const options = script(
  'gpu:models',
  `A folder of models with random weights at the shapes of published ones: what they say is noise, what they cost is not. Their graphs are
written into the cache (LOOKAHEAD_CACHE) for one device and one kind of weights: run with others, a model is all zeros. What is there
already stays. For npm run bench:forced.`,
)
  .requiredOption('--out <folder>', 'gets target/, draft/ and judge/', some)
  .addOption(shapeOption('target').makeOptionMandatory())
  .addOption(shapeOption('draft'))
  .addOption(shapeOption('judge'))
  .addOption(new Option('--device <device>', 'where they will run').choices(devices).default('cuda' as const))
  .addOption(new Option('--weights <type>', "default: the device's own").choices(weightTypes))
  .parse()
  .opts()

try {
  await interruptible('goes on', write)
} catch (error) {
  if (!(error instanceof ModelError || error instanceof Interrupted)) throw error
  console.error(`gpu:models: ${error.message}`)
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1
}

async function write(signal: AbortSignal): Promise<void> {
  const wanted: { [role in (typeof roles)[number]]?: Shape } = options
  for (const role of roles) {
    const shape = wanted[role]
    if (shape === undefined) continue
    const folder = path.join(options.out, role)
    const bytes = await writeRandomModel(folder, undefined, shapes[shape], options, signal)
    if (role === 'judge') await askedShortly(folder)
    console.error(`gpu:models: ${role} of ${shape}, ${formatBytes(bytes)}`)
  }
}

/** The short question is as many tokens to a tokenizer of bytes as the paper's is to a real one. */
function askedShortly(folder: string): Promise<void> {
  return writeFile(path.join(folder, 'judge.json'), JSON.stringify({ prompt: 'taught' }))
}
