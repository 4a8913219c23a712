import path from 'node:path'
import { pull, type PullProgress } from '../hub/index.ts'
import { UsageError } from '../usage.ts'
import { readArguments } from './arguments.ts'
import { interruptible } from './interrupt.ts'
import { formatBytes } from '../bytes.ts'
import { ProgressLine } from './progress.ts'

export const help = `lookahead pull ORG/NAME [flags]

Brings a checkpoint from the Hugging Face hub: config, tokenizer, chat template and safetensors, each checked against the
hub's checksum. What was interrupted goes on where it stopped.

  --to FOLDER               where to (default: a folder NAME here)
  --revision REV            branch, tag or commit (default main)
  --help                    shows this

HF_TOKEN is shown to the hub, for models that are private or gated. HF_ENDPOINT is another hub's address.
`

type Env = Record<string, string | undefined>

/** @throws UsageError, HubError, ModelError, Interrupted */
export async function run(args: string[], env: Env): Promise<void> {
  const flags = { to: { type: 'string' }, revision: { type: 'string', default: 'main' } } as const
  const { values, argument: name } = readArguments(args, 'a model of the hub, such as Qwen/Qwen3-0.6B', flags)
  if (!/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name))
    throw new UsageError(`"${name}" is no model of the hub: give ORG/NAME, such as Qwen/Qwen3-0.6B`)
  const { revision } = values
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes('..'))
    throw new UsageError(`--revision must be a branch, tag or commit, not "${revision}"`)
  const folder = values.to ?? path.basename(name)
  const [token, endpoint] = [env.HF_TOKEN || undefined, env.HF_ENDPOINT || undefined]
  if (token !== undefined && !token.startsWith('hf_')) throw new UsageError('HF_TOKEN must begin with hf_')
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    throw new UsageError(`HF_ENDPOINT must be an address such as https://huggingface.co, not "${endpoint}"`)

  using line = new ProgressLine()
  const onProgress = ({ file, bytes, size }: PullProgress) => {
    if (bytes < size) return line.draw(`${file}  ${formatBytes(bytes)} of ${formatBytes(size)}`)
    line.clear()
    console.log(`${file}  ${formatBytes(size)}`)
  }
  const result = await interruptible('goes on from here', (signal) =>
    pull(name, folder, { revision, token, endpoint, signal, onProgress }),
  )
  const transferred = `${formatBytes(result.transferred)} transferred`
  console.log(`${name} at ${result.commit.slice(0, 12)} is in ${path.resolve(folder)} (${transferred})`)
}
