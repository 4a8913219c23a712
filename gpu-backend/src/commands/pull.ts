import path from 'node:path'
import { pull, type PullProgress } from '../hub/index.ts'
import { UsageError } from '../usage.ts'
import { interruptible } from './interrupt.ts'
import { formatBytes } from '../bytes.ts'
import { ProgressLine } from './progress.ts'

export interface PullFlags {
  /** Default: a folder of the model's name. */
  to?: string | undefined
  revision: string
}

/** @throws UsageError, HubError, ModelError, Interrupted */
export async function run(name: string, { to, revision }: PullFlags, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = to ?? path.basename(name)
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
