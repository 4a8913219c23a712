import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

export const commit = '0123456789abcdef0123456789abcdef01234567'

/**
 * A hub for tests: one repository, `org/tiny`, over HTTP as the real one speaks it. Large files lie on a host of their own,
 * in LFS or, the second shard, in Xet storage.
 */
export class LocalHub implements AsyncDisposable {
  /** By path. */
  readonly files = new Map<string, Buffer>()
  /** What was asked for of the files' contents: `path` or `path bytes=5-`. Questions for one byte are left out. */
  readonly reads: string[] = []
  /** The token without which the hub answers 401. */
  token: string | undefined
  /** Everyone may list the files, and nobody read them: 401 without a token, 403 for accounts without access. */
  gated = false
  /** Sends so many bytes of this file's contents, then no more until `cut`. */
  hold: { path: string; bytes: number } | undefined
  /** Changes the contents of this file on the way. */
  corrupt: string | undefined
  readonly #servers = [createServer(this.#answer.bind(this)), createServer(this.#store.bind(this))] as const

  /** A hub with the files of `folder`. */
  static async start(folder: string): Promise<LocalHub> {
    const hub = new LocalHub()
    for (const name of await readdir(folder)) hub.files.set(name, await readFile(path.join(folder, name)))
    for (const server of hub.#servers) await once(server.listen(0, '127.0.0.1'), 'listening')
    return hub
  }

  get url(): string {
    return this.#address(0)
  }

  /** Breaks all transfers off. */
  cut(): void {
    this.hold = undefined
    for (const server of this.#servers) server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    for (const server of this.#servers) if (server.listening) await once(server.close(), 'close')
  }

  #address(server: 0 | 1): string {
    return `http://127.0.0.1:${(this.#servers[server].address() as AddressInfo).port}`
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, this.url)
    const json = (status: number, value: unknown, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const known = request.headers.authorization === `Bearer ${this.token}`
    if (this.token !== undefined && !known) return void json(401, { error: 'Invalid username or password.' })
    const revision = /^\/api\/models\/org\/tiny\/revision\/(.+)$/.exec(pathname)?.[1]
    if (revision === 'main' || revision === commit)
      return void json(200, { _id: '1', id: 'org/tiny', sha: commit, lastModified: '2026-01-01T00:00:00Z' })
    if (revision !== undefined) return void json(404, { error: `Invalid rev id: ${revision}` })
    if (pathname === `/api/models/org/tiny/tree/${commit}`) {
      // Two pages, as of a large repository.
      const entries = [...this.files].map(([file, bytes]) => entry(file, bytes))
      const half = Math.ceil(entries.length / 2)
      if (searchParams.has('cursor')) return void json(200, entries.slice(half))
      return void json(200, [{ type: 'directory', path: 'onnx', size: 0 }, ...entries.slice(0, half)], {
        link: `<${this.url}${pathname}?cursor=2>; rel="next"`,
      })
    }
    const file = new RegExp(`^/org/tiny/resolve/${commit}/(.+)$`).exec(pathname)?.[1]
    if (file === undefined) return void json(404, { error: 'Repository not found' })
    if (this.gated) {
      const headers = { 'x-error-code': 'GatedRepo' }
      const error = 'Access to model org/tiny is restricted.'
      return void json(request.headers.authorization ? 403 : 401, { error }, headers)
    }
    if (!isLarge(file)) return this.#send(request, response, file)
    if (isXet(file) && request.headers.accept?.includes(xetType)) return this.#xet(response, file)
    response.writeHead(302, { location: `${this.#address(1)}/${file}` }).end()
  }

  /** Where a client that speaks Xet would go on. */
  #xet(response: ServerResponse, file: string): void {
    const link = (rel: string) => `<${this.url}/xet/${rel}>; rel="${rel}"`
    const bytes = this.files.get(file)!
    response.writeHead(200, {
      'content-type': xetType,
      'x-linked-size': bytes.length,
      'x-linked-etag': `"${entry(file, bytes).oid}"`,
      'x-xet-hash': '2'.repeat(64),
      link: [link('xet-auth'), link('xet-reconstruction-info')].join(', '),
    })
    response.end('{}')
  }

  /** The other host. It must not be shown the token. */
  #store(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.authorization) return void response.writeHead(400).end('a token was shown to the wrong host')
    this.#send(request, response, request.url!.slice(1))
  }

  #send(request: IncomingMessage, response: ServerResponse, file: string): void {
    const whole = this.files.get(file)
    if (!whole) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end()
    const { range } = request.headers
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
    const [first, end] = [Number(from), to === '' ? whole.length : Number(to) + 1]
    const bytes = Buffer.from(whole.subarray(first, end))
    if (file === this.corrupt) bytes[bytes.length >> 1]! ^= 1
    if (range !== 'bytes=0-0') this.reads.push(first === 0 ? file : `${file} from ${first}`)
    response.writeHead(range === undefined ? 200 : 206, {
      etag: `"${entry(file, whole).oid}"`,
      'content-length': bytes.length,
      ...(range === undefined ? {} : { 'content-range': `bytes ${first}-${end - 1}/${whole.length}` }),
    })
    if (this.hold?.path === file && range !== 'bytes=0-0') response.write(bytes.subarray(0, this.hold.bytes))
    else response.end(bytes)
  }
}

const xetType = 'application/vnd.xet-fileinfo+json'

const isXet = (file: string) => file.startsWith('model-00002')
const isLarge = (file: string) => /\.(safetensors|bin)$/.test(file)

function entry(file: string, bytes: Buffer) {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
  const base = { type: 'file', path: file, size: bytes.length, oid }
  if (!isLarge(file)) return base
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { ...base, oid: '1'.repeat(40), lfs: { oid: sha256, size: bytes.length, pointerSize: 134 } }
}
