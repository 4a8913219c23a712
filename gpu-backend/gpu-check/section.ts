import { ModelError } from '../src/checkpoint/index.ts'
import { OnnxRuntimeError } from '../src/onnxruntime/index.ts'

/** One thing that had to hold. */
export interface Check {
  what: string
  passed: boolean
  /** What was seen where it did not hold. */
  seen?: string
}

/** A part of the report: a table, and what had to hold. */
export interface Section {
  title: string
  /** What is measured and how, in a line or two. */
  about: string
  rows: Record<string, string | number>[]
  checks: Check[]
}

/** What went wrong, if it is the runtime or the model that refuses: the report goes on without. */
export function refusal(error: unknown): string {
  if (error instanceof OnnxRuntimeError || error instanceof ModelError) return error.message.split('\n')[0]!
  throw error
}
