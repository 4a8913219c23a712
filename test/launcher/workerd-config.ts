/** What wrangler.toml says, in workerd's words. @see https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
import type { Unstable_Config } from 'wrangler'

export interface Placement {
  /** 0: a free one. */
  port: number
  /** Folder of the built worker, from where this configuration is, and the files in it. */
  bundle: string
  files: readonly string[]
  /** In place of those in wrangler.toml, and beside them. */
  vars: Record<string, string>
  /** Folder for what Durable Objects store. */
  storage: string
  /** Without their dashes. */
  v8Flags: readonly string[]
}

export function workerdConfig(
  {
    vars: own,
    durable_objects: { bindings: objects },
    compatibility_date: date,
    compatibility_flags: flags,
  }: Unstable_Config,
  { port, bundle, files, vars, storage, v8Flags }: Placement,
): string {
  // The first module is the worker, the others are texts that it imports.
  const texts = files.filter((file) => /\.(html|txt)$/.test(file))
  const modules = ['index.js', ...texts].map((file, at) => {
    const kind = at === 0 ? 'esModule' : 'text'
    return `(name = ${quoted(file)}, ${kind} = embed ${quoted(`${bundle}/${file}`)})`
  })
  const bindings = [
    ...Object.entries({ ...own, ...vars }).map(([name, value]) => `(name = "${name}", ${binding(value)})`),
    ...objects.map(({ name, class_name: of }) => `(name = "${name}", durableObjectNamespace = "${of}")`),
  ]
  const namespaces = objects.map(({ class_name: of }) => `(className = "${of}", uniqueKey = "${of}", enableSql = true)`)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map((flag) => quoted(`--${flag}`)).join(', ')}],
  services = [
    (name = "worker", worker = .worker),
    (name = "storage", disk = (path = ${quoted(storage)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(', ')}],
  compatibilityDate = ${quoted(date ?? '')},
  compatibilityFlags = [${flags.map(quoted).join(', ')}],
  bindings = [${bindings.join(', ')}],
  durableObjectNamespaces = [${namespaces.join(', ')}],
  durableObjectStorage = (localDisk = "storage"),
);
`
}

const binding = (value: unknown): string =>
  typeof value === 'string' ? `text = ${quoted(value)}` : `json = ${quoted(JSON.stringify(value))}`

/** Cap'n Proto's strings are written as C's, and so as JSON's. */
const quoted = (text: string): string => JSON.stringify(text)
