import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const fileNames: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
}

/** ONNX Runtime's library is not where it should be; the message says what to do. */
export class LibraryError extends Error {
  override readonly name = 'LibraryError'
}

/**
 * The folder of ONNX Runtime's native files, whether or not it exists: `$LOOKAHEAD_ONNXRUNTIME` if set, for a build of
 * one's own (such as one for CUDA 13), else that of onnxruntime-node for this platform.
 */
export function libraryFolder(): string {
  const chosen = process.env.LOOKAHEAD_ONNXRUNTIME
  if (chosen) return path.resolve(chosen)
  const require = createRequire(import.meta.url)
  const root = path.dirname(require.resolve('onnxruntime-node/package.json'))
  return path.join(root, 'bin', 'napi-v6', process.platform, process.arch)
}

/**
 * The ONNX Runtime library. The addon of onnxruntime-node is not loaded: only the C API is used.
 *
 * @throws LibraryError if there is none
 */
export function libraryPath(): string {
  const name = fileNames[process.platform]
  const file = path.join(libraryFolder(), name ?? '')
  if (name && existsSync(file)) return file
  if (process.env.LOOKAHEAD_ONNXRUNTIME)
    throw new LibraryError(`there is no ${file}: correct LOOKAHEAD_ONNXRUNTIME, or unset it`)
  throw new LibraryError(
    `onnxruntime-node has no library for ${process.platform}/${process.arch}: run npm ci on a platform it supports`,
  )
}

/** ONNX Runtime's CUDA provider, whether or not it is there: `lookahead install-cuda` fetches it. */
export function cudaLibraryPath(): string {
  return path.join(libraryFolder(), 'libonnxruntime_providers_cuda.so')
}
