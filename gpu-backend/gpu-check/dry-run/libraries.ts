/**
 * ONNX Runtime's CUDA build, and libraries in the place of NVIDIA's that compute nothing. Needs pip, gcc and binutils, on
 * Linux on x64; takes some 600 MB of the cache.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'

const provider = 'libonnxruntime_providers_cuda.so'
const runtime = 'libcudart.so.13'

/** The folder of all these libraries: for `LD_LIBRARY_PATH` and `LOOKAHEAD_ONNXRUNTIME`. Made at the first call. */
export function dryRunLibraries(say: (line: string) => void): string {
  const version = runtimeVersion()
  const cache = process.env.LOOKAHEAD_CACHE || path.join(homedir(), '.cache', 'lookahead')
  const home = path.join(cache, 'dry-run', version)
  const wheels = path.join(home, 'wheels')
  if (!existsSync(wheels)) fetchWheels(version, wheels, say)
  const built = path.join(wheels, 'onnxruntime', 'capi')
  const libraries = path.join(home, 'libraries')
  rmSync(libraries, { recursive: true, force: true })
  mkdirSync(libraries)
  copyFileSync(path.join(built, `libonnxruntime.so.${version}`), path.join(libraries, 'libonnxruntime.so.1'))
  for (const name of [provider, 'libonnxruntime_providers_shared.so'])
    copyFileSync(path.join(built, name), path.join(libraries, name))
  say('compiling')
  compile(libraries, path.join(wheels, 'nvidia', 'cu13', 'include'))
  return libraries
}

/** Of the package that the project runs on: the dry run is to have the same kernels. */
function runtimeVersion(): string {
  const file = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  return v.parse(v.object({ version: v.string() }), JSON.parse(readFileSync(file, 'utf8'))).version
}

function fetchWheels(version: string, wheels: string, say: (line: string) => void): void {
  const partial = `${wheels}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  say('fetching ONNX Runtime for CUDA (250 MB) and the headers of CUDA')
  const names = [`onnxruntime-gpu==${version}`, 'nvidia-cuda-runtime==13.0.*', 'nvidia-cuda-crt==13.0.*']
  tool('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', partial, ...names])
  for (const name of tool('ls', [partial]).split('\n').filter(Boolean)) {
    tool('python3', ['-m', 'zipfile', '-e', path.join(partial, name), partial])
    rmSync(path.join(partial, name))
  }
  renameSync(partial, wheels)
}

/** One library for each of NVIDIA's that the provider is linked to, with the functions that the provider takes from it. */
function compile(folder: string, headers: string): void {
  const needed = tool('readelf', ['-d', path.join(folder, provider)]).matchAll(/NEEDED.*\[(libcu\w+\.so\.\d+)\]/g)
  const symbols = tool('nm', ['-D', '--undefined-only', '--with-symbol-versions', path.join(folder, provider)])
  const ours = path.join(import.meta.dirname, 'runtime.c')
  const written = readFileSync(ours, 'utf8')
  for (const [, library] of needed) {
    const functions = [...symbols.matchAll(/ U (\w+)(?:@(\S+))?/g)].filter(([, name, from]) =>
      library === 'libcuda.so.1' ? /^cu[A-Z]/.test(name!) && from === undefined : from === library,
    )
    const stubs = functions
      .map(([, name]) => name!)
      .filter((name) => !written.includes(` ${name}(`) && !written.includes(`*${name}(`))
    const base = path.join(folder, library!)
    writeFileSync(`${base}.c`, `#include <stdio.h>\n${stubs.map(stub).join('')}`)
    writeFileSync(`${base}.map`, `${library} { global: *; };\n`)
    const sources = library === runtime ? [`${base}.c`, ours] : [`${base}.c`]
    const link = [`-Wl,-soname,${library}`, `-Wl,--version-script=${base}.map`, '-lpthread']
    tool('gcc', ['-shared', '-fPIC', '-O1', '-w', '-I', headers, '-o', base, ...sources, ...link])
  }
}

/** Success, whatever the arguments; products of matrices are reported. */
function stub(name: string): string {
  const report = /gemm|matmul$/i.test(name) ? `fprintf(stderr, "product ${name}\\n"); ` : ''
  return `int ${name}() { ${report}return 0; }\n`
}

function tool(command: string, args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 })
}
