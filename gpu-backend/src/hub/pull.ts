import { mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { ModelError, readDecoderConfig, weightNames } from '../checkpoint/index.ts'
import { Tokenizer, noTokenizer } from '../tokenizer/index.ts'
import { matches } from './checksum.ts'
import { HubError } from './error.ts'
import { lock } from './lock.ts'
import { Repository, type RemoteFile, type RepositoryOptions } from './repository.ts'
import { assertSpace } from './space.ts'

export interface PullOptions extends RepositoryOptions {
  /** Is told each time more of a file is on the disk. */
  onProgress?: ((progress: PullProgress) => void) | undefined
}

export interface PullProgress {
  file: string
  /** Of this file on the disk, those of an earlier, interrupted pull included. */
  bytes: number
  size: number
}

export interface PullResult {
  commit: string
  /** Names in the folder. */
  files: string[]
  /** Bytes that came over the wire; the rest was there already. */
  transferred: number
}

/** What the engine reads beside the weights. Nothing else is taken from a repository. */
const describing = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'model.safetensors.index.json',
]

/**
 * Brings a checkpoint from a Hugging Face hub into `folder`. Files are gathered in `folder`/.pull, each checked against the
 * hub's checksum, and move to their places when all are there; so the folder never holds a part of a checkpoint, and a
 * pull that was interrupted goes on where it stopped.
 *
 * @param name such as `Qwen/Qwen3-0.6B`
 * @throws HubError; ModelError if the engine cannot run such a model, before any weights are transferred; the signal's
 * reason if it was aborted
 */
export async function pull(name: string, folder: string, options: PullOptions = {}): Promise<PullResult> {
  const repository = await Repository.open(name, options)
  const remote = new Map((await repository.files()).map((file) => [file.path, file]))
  const gathering = path.join(folder, '.pull')
  const staged = path.join(gathering, repository.commit)
  await mkdir(folder, { recursive: true })
  await using _ = await lock(path.join(folder, '.pull.lock'))
  await mkdir(staged, { recursive: true })

  let transferred = 0
  const fetchFile = async (file: RemoteFile) => {
    transferred += await download(repository, file, path.join(staged, file.path), options)
  }
  const config = remote.get('config.json')
  if (!config) throw new HubError('not_found', `${name} has no config.json: name a model of the transformers library`)
  const mustRun = async (check: Promise<unknown>) => {
    try {
      await check
    } catch (error) {
      await rm(staged, { recursive: true })
      await rmdir(gathering).catch(() => undefined)
      // The folder names a place on this machine; what the user knows is the repository.
      throw error instanceof ModelError ? new ModelError(error.code, error.message.replaceAll(staged, name)) : error
    }
  }
  await fetchFile(config)
  await mustRun(readDecoderConfig(staged))
  const small = describing.filter((file) => remote.has(file))
  for (const file of small.slice(1)) await fetchFile(remote.get(file)!)
  const hasTokenizer = remote.has('tokenizer.json')
  await mustRun(hasTokenizer ? Tokenizer.load(staged) : Promise.reject(noTokenizer(name, [...remote.keys()])))
  const weights = await weightNames(staged)
  const missing: RemoteFile[] = []
  for (const file of weights) {
    const found = remote.get(file)
    if (!found) throw new HubError('not_found', `${name} has no ${file}: only safetensors checkpoints can be run`)
    if (!(await matches(path.join(folder, file), found, options.signal))) missing.push(found)
  }
  await assertSpace(staged, missing)
  for (const file of missing) await fetchFile(file)

  // What describes the weights takes its place after them, config.json last; what described others goes.
  const files = [...weights, ...small.toReversed()]
  for (const file of describing) if (!remote.has(file)) await rm(path.join(folder, file), { force: true })
  for (const file of files) await moveIfAny(path.join(staged, file), path.join(folder, file))
  await rm(gathering, { recursive: true })
  return { commit: repository.commit, files, transferred }
}

/** Completes `file` by way of `file`.part. Returns the bytes that came over the wire. */
async function download(
  repository: Repository,
  remote: RemoteFile,
  file: string,
  { onProgress, signal }: PullOptions,
): Promise<number> {
  const report = (bytes: number) => onProgress?.({ file: remote.path, bytes, size: remote.size })
  if (await exists(file)) return (report(remote.size), 0)
  const part = `${file}.part`
  let transferred = 0
  {
    await using handle = await open(part, 'a')
    const before = (await handle.stat()).size
    report(before)
    if (before < remote.size)
      for await (const chunk of repository.read(remote.path, before)) {
        signal?.throwIfAborted()
        await handle.appendFile(chunk)
        transferred += chunk.byteLength
        report(before + transferred)
        if (before + transferred > remote.size) break
      }
    const bytes = before + transferred
    if (bytes < remote.size)
      throw new HubError(
        'unreachable',
        `${remote.path} ended at byte ${bytes} of ${remote.size}: run the command again`,
      )
    await handle.sync()
  }
  if (!(await matches(part, remote, signal))) {
    await rm(part)
    throw new HubError('corrupt', `what came as ${remote.path} is not what the hub has: run the same command again`)
  }
  await rename(part, file)
  return transferred
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}

/** A weight file that was in its place already was not gathered. */
async function moveIfAny(from: string, to: string): Promise<void> {
  if (await exists(from)) await rename(from, to)
}
