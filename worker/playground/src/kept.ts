/** What outlives a reload, in this tab alone: nothing is written to disk by the page. */
import { useState } from 'preact/hooks'

const keyOf = (name: string): string => `lookahead.${name}`

/** Undefined where nothing was. */
export function kept(name: string): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(name)) ?? 'null') ?? undefined
  } catch {
    // An older page's.
    return undefined
  }
}

/** @param value undefined: nothing more */
export function keep(name: string, value: unknown): void {
  if (value === undefined) sessionStorage.removeItem(keyOf(name))
  else sessionStorage.setItem(keyOf(name), JSON.stringify(value))
}

/** State that is kept. */
export function useKept<T>(name: string, initial: T): [T, (value: T) => void] {
  const [value, set] = useState(() => (kept(name) as T | undefined) ?? initial)
  const change = (next: T) => {
    set(() => next)
    keep(name, next)
  }
  return [value, change]
}
