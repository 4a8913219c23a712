/**
 * Fetches ONNX Runtime's CUDA 12 libraries. onnxruntime-node's own install script does the work: it does not run at `npm ci` (see
 * allowScripts in package.json), so that an install needs no host but the registry.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { LibraryError, cudaLibraryPath } from '../onnxruntime/library.ts'

/** @throws {LibraryError} where there are none for this platform, or they cannot be fetched */
export function run(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new LibraryError(
      `CUDA libraries exist for Linux on x64 only, not for ${process.platform} on ${process.arch}: the CPU is used here`,
    )
  const provider = cudaLibraryPath()
  if (existsSync(provider)) return console.log(`The CUDA libraries are installed already: ${provider}`)
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  const script = path.join(path.dirname(packageFile), 'script', 'install.js')
  // Its flag would lose against .npmrc's `onnxruntime-node-install=skip`, which npm hands on; and the variable knows no `cuda12`,
  // but `true` for all that the platform lacks, which is that.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'true' }
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit', env })
  if (status !== 0 || !existsSync(provider))
    throw new LibraryError('the CUDA libraries could not be fetched: check the network, then run this again')
  console.log(`Installed ${provider}. CUDA 12 and cuDNN 9 must be on this machine.`)
}
