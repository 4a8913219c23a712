import type { Key } from './keys.ts'

/** Who asks, and what its key allows it. */
export interface Caller extends Omit<Key, 'hash'> {
  /** What its texts are kept apart by in an engine's caches. Default: no key was asked for, and all share them. */
  cacheSalt?: string
}
