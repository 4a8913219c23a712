import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const fileNames: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
}

/** The folder of onnxruntime-node's native files for this platform, whether or not it exists. */
export function libraryFolder(): string {
  const require = createRequire(import.meta.url)
  const root = path.dirname(require.resolve('onnxruntime-node/package.json'))
  return path.join(root, 'bin', 'napi-v6', process.platform, process.arch)
}

/**
 * The ONNX Runtime library that the package onnxruntime-node installs. Its addon is not loaded: only the C API is used.
 *
 * @throws Error if the package ships no library for this platform
 */
export function libraryPath(): string {
  const file = path.join(libraryFolder(), fileNames[process.platform] ?? '')
  if (!fileNames[process.platform] || !existsSync(file))
    throw new Error(
      `onnxruntime-node has no library for ${process.platform}/${process.arch}: run npm ci on a platform it supports`,
    )
  return file
}

/** ONNX Runtime's CUDA provider, whether or not it is there: `npm run gpu:install` fetches it. */
export function cudaLibraryPath(): string {
  return path.join(libraryFolder(), 'libonnxruntime_providers_cuda.so')
}
