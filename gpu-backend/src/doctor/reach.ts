/** Whether there is anybody at an address, and if not, why. */
import { PATIENCE_MS, failed } from './finding.ts'
import type { Finding } from './finding.ts'

/** Codes of Node's errors, and what to do about them. @see https://nodejs.org/api/errors.html#common-system-errors */
const reasons: [codes: RegExp, told: string, mend: string][] = [
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    'its name is not known',
    'look for a slip in the address; a new DNS record may take minutes',
  ],
  [
    /^ECONNREFUSED$/,
    'nothing listens there',
    'start the server; a backend for others needs --host 0.0.0.0, and its port must be open',
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|TIMEOUT)$/,
    'nothing answers',
    'look at the firewall, and whether the tunnel or server runs',
  ],
  [
    /CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_VERIFY/,
    'its TLS certificate is refused',
    'give it a certificate for this name that all trust; workers refuse others too',
  ],
  [
    /^(ECONNRESET|UND_ERR_SOCKET|EPROTO)$/,
    'the connection broke',
    'look at what stands between, and whether it is http or https',
  ],
]

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return ''
  if (error.name === 'TimeoutError') return 'TIMEOUT'
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause)
}

export function unreachable(check: string, error: unknown): Finding {
  const code = codeOf(error)
  const reason = reasons.find(([codes]) => codes.test(code))
  const [told, mend] = reason?.slice(1) ?? ['it cannot be reached', 'look at the address']
  return failed(check, code && code !== 'TIMEOUT' ? `${told} (${code})` : `${told}`, `${mend}`)
}

/** Fetches below an address, for so long as a healthy server may take. */
export const at =
  (base: string, token: string | undefined) =>
  async (path: string, init: Omit<RequestInit, 'headers'> = {}): Promise<Response> =>
    fetch(`${base}${path}`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...init,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })

export type Ask = ReturnType<typeof at>
