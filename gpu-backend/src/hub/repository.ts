import { downloadFile, HubApiError, HUB_URL, listFiles, modelInfo } from '@huggingface/hub'
import * as v from 'valibot'
import { HubError } from './error.ts'

export interface RepositoryOptions {
  /** Branch, tag or commit. Defaults to `main`. */
  revision?: string | undefined
  /** The hub's address. Defaults to https://huggingface.co. */
  endpoint?: string | undefined
  /** A token that begins with `hf_`, for what is private or gated. */
  token?: string | undefined
  signal?: AbortSignal | undefined
}

export interface RemoteFile {
  path: string
  size: number
  /** In hexadecimal: the SHA-256 of a large file's bytes, or git's object id of a small one's. */
  checksum: { type: 'sha256' | 'git'; value: string }
}

const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)))
const byteCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const infoSchema = v.object({ sha: hex(40) })
const entrySchema = v.variant('type', [
  v.object({
    type: v.literal('file'),
    path: v.string(),
    size: byteCount,
    oid: hex(40),
    lfs: v.optional(v.object({ oid: hex(64) })),
  }),
  v.object({ type: v.picklist(['directory', 'unknown']) }),
])

/** A model's repository on a Hugging Face hub, at one commit. */
export class Repository {
  readonly name: string
  readonly commit: string
  readonly #options: RepositoryOptions
  readonly #access: { hubUrl: string; fetch: typeof fetch; accessToken?: string }
  /** Whether the hub has told which files there are. */
  #listed = false

  /** @throws HubError `not_found`, `forbidden`, `unreachable`; the signal's reason if it was aborted */
  static async open(name: string, options: RepositoryOptions = {}): Promise<Repository> {
    const opening = new Repository(name, options, '')
    const revision = options.revision ?? 'main'
    const info = await opening.#asking(async () => {
      const found = await modelInfo({ name, revision, additionalFields: ['sha'], ...opening.#access })
      return v.parse(infoSchema, found)
    })
    return new Repository(name, options, info.sha)
  }

  private constructor(name: string, options: RepositoryOptions, commit: string) {
    const { endpoint = HUB_URL, token, signal } = options
    this.name = name
    this.commit = commit
    this.#options = options
    this.#access = {
      hubUrl: endpoint.replace(/\/+$/, ''),
      fetch: (input, init) => fetch(input, { ...init, signal: either(signal, init?.signal) }),
      ...(token === undefined ? {} : { accessToken: token }),
    }
  }

  /** The files at the top of the repository. @throws as `open` does */
  files(): Promise<RemoteFile[]> {
    return this.#asking(async () => {
      const files: RemoteFile[] = []
      for await (const found of listFiles({ ...this.#source, ...this.#access })) {
        const entry = v.parse(entrySchema, found)
        if (entry.type !== 'file') continue
        const { path, size, oid, lfs } = entry
        files.push({ path, size, checksum: lfs ? { type: 'sha256', value: lfs.oid } : { type: 'git', value: oid } })
      }
      this.#listed = true
      return files
    })
  }

  /** A file's bytes from byte `from` on. @throws as `open` does */
  async *read(path: string, from: number): AsyncGenerator<Uint8Array> {
    // As plain ranges over HTTP, which every hub and mirror has, also for what is kept in Xet storage.
    const blob = await this.#asking(() => downloadFile({ ...this.#source, path, ...this.#access, xet: false }))
    if (!blob) throw new HubError('not_found', `${this.name} has no ${path} any more: run the command again`)
    const stream = (from === 0 ? blob : blob.slice(from)).stream()
    try {
      yield* stream
    } catch (cause) {
      throw this.#explained(cause, `the transfer of ${path} broke off`)
    }
  }

  get #source() {
    return { repo: { type: 'model' as const, name: this.name }, revision: this.commit }
  }

  async #asking<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (cause) {
      throw this.#explained(cause, `${this.#access.hubUrl} cannot be asked for ${this.name}`)
    }
  }

  /** What the library or `fetch` threw, as one line that says what to do. */
  #explained(cause: unknown, what: string): unknown {
    const { revision = 'main', token, signal } = this.#options
    if (signal?.aborted) return signal.reason
    const status = cause instanceof HubApiError ? cause.statusCode : 0
    // Whoever may list a repository's files, but not read them, stands before a gate.
    if (status === 403 || (status === 401 && this.#listed)) {
      const page = `${this.#access.hubUrl}/${this.name}`
      const advice = `ask for access at ${page}, and set HF_TOKEN to a token of that account`
      return new HubError('forbidden', `${this.name} is not open to everyone: ${advice}`, { cause })
    }
    if (status === 401) {
      const advice = token === undefined ? 'set HF_TOKEN to a token that may read it' : 'HF_TOKEN may not read it'
      return new HubError('forbidden', `there is no ${this.name}, or it is private: check the name; ${advice}`, {
        cause,
      })
    }
    if (status === 404)
      return new HubError('not_found', `${this.#access.hubUrl} has no ${this.name} at revision ${revision}`, { cause })
    return new HubError('unreachable', `${what} (${reasonOf(cause)}): run the same command again`, { cause })
  }
}

/** `fetch` says no more than "fetch failed"; its cause says why. The library's streams fail with bare strings. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const reason = error.cause instanceof Error ? error.cause.message : error.message
  return reason.split('\n', 1)[0] || error.name
}

function either(a: AbortSignal | undefined, b: AbortSignal | null | undefined): AbortSignal | null {
  return a && b ? AbortSignal.any([a, b]) : (a ?? b ?? null)
}
