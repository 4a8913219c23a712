import { api, created, type Pointer } from './api.ts'

/** Only FATAL messages go to stderr: every error also comes back as a status, and is thrown. */
const logSeverity = 4

let pointer: Pointer | undefined

/** ONNX Runtime's environment of this process. Whatever may log needs it to be there. */
export function environment(): Pointer {
  return (pointer ??= created((out) => api().createEnv(logSeverity, 'lookahead', out)))
}
