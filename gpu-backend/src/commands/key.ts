import { createHash, randomBytes } from 'node:crypto'

export interface KeyFlags {
  name: string
  runs?: number | undefined
  tokens?: number | undefined
  json?: true | undefined
}

/** Makes a key for a client of the worker. Nothing keeps it: the worker is told its hash (`worker/src/access/keys.ts`). */
export function run({ name, json, ...limits }: KeyFlags): void {
  const key = `lk_${randomBytes(32).toString('base64url')}`
  const hash = createHash('sha256').update(key).digest('hex')
  const given = Object.entries(limits).map(([limit, most]) => `${limit}=${most}`)
  const entry = [name, hash, given.join()].filter(Boolean).join(':')
  if (json) return console.log(JSON.stringify({ name, key, hash, entry }))
  console.log(`key    ${key}`)
  console.log(`entry  ${entry}`)
  console.error(
    'The key is for the client, and is shown only now. The entry is a line of the secret API_KEYS (docs/deploy.md).',
  )
}
