/** What the worker asks of the object that keeps a run. */
import type { RunRequest } from '@lookahead/sdk/protocol'
import type { Caller } from '../access/caller.ts'

/** Of a Durable Object's namespace, what is asked of it here. */
export interface RunObjects {
  getByName(id: string): { fetch(url: string, init: { method: string; body: string }): Promise<Response> }
}

export type Order = Start | Follow | Retrieve | Recall | Cancel | Delete

/** The run is begun, or is there already; answered as `follow` from its beginning. */
export interface Start {
  do: 'start'
  id: string
  owner: string
  /** A hash of the request. */
  fingerprint: string
  request: RunRequest
  caller: Caller
  /** What the dialect that asked needs to word the run once more. */
  note?: object | undefined
}

/** Answered by a stream of events. */
export interface Follow {
  do: 'follow'
  owner: string
  /** Events before this one are left out. */
  from: number
  /** Ends with what is stored by now. */
  now?: boolean
}

/** Answered by a `StoredRun`. */
export interface Retrieve {
  do: 'retrieve'
  owner: string
}

/** Answered by a `Recalled`. */
export interface Recall {
  do: 'recall'
  owner: string
}

export interface Recalled {
  /** Seconds since 1970. */
  created: number
  /** That of `start`; null where there was none. */
  note: object | null
}

/** Ends the run, if it goes on; answered as `retrieve` once it is over. */
export interface Cancel {
  do: 'cancel'
  owner: string
}

/** Ends the run, if it goes on, and forgets it; answered by nothing. */
export interface Delete {
  do: 'delete'
  owner: string
}
