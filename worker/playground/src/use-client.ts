import { Lookahead } from '@lookahead/sdk'
import { useMemo, useState } from 'preact/hooks'

const STORED = 'lookahead.api-key'

/** The key stays in this tab: nothing is written to disk by the page. */
export function useClient() {
  const [apiKey, keep] = useState(() => sessionStorage.getItem(STORED) ?? '')
  const setApiKey = (key: string) => {
    keep(key)
    sessionStorage.setItem(STORED, key)
  }
  const client = useMemo(
    () => new Lookahead({ baseURL: location.origin, apiKey: isKey(apiKey) ? apiKey : '' }),
    [apiKey],
  )
  return { client, apiKey, setApiKey }
}

/** What a header can carry. */
export const isKey = (key: string): boolean => /^[\w.~+/-]*=*$/.test(key)
