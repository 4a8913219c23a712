import { Lookahead } from '@lookahead/sdk'
import { useMemo } from 'preact/hooks'
import { useKept } from './kept.ts'

export function useClient() {
  const [apiKey, setApiKey] = useKept('api-key', '')
  const client = useMemo(
    () => new Lookahead({ baseURL: location.origin, apiKey: isKey(apiKey) ? apiKey : '' }),
    [apiKey],
  )
  return { client, apiKey, setApiKey }
}

/** What a header can carry. */
export const isKey = (key: string): boolean => /^[\w.~+/-]*=*$/.test(key)
