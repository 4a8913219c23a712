/** Servers of others that run on any machine, with the demo models. */
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execute } from '../launcher/python.ts'
import { startEngine } from './server.ts'
import type { Engine } from './server.ts'

export interface Model {
  url: string
  model: string
}

/** Draft and target, served. */
export interface Served extends AsyncDisposable {
  target: Model
  draft: Model
}

export interface Given {
  /** Has what the server takes. */
  python: string
  /** A build of llama.cpp's own server. */
  llamaServer: string | undefined
  /** In the place of the demo models, for the servers of llama.cpp: target and draft both. */
  gguf: string | undefined
  signal: AbortSignal
}

export const packages = {
  transformers: ['torch==2.13.0', 'transformers[serving]==5.24.0'],
  // pip compiles it, with CMake and a C++ compiler.
  'llama-cpp-python': ['llama-cpp-python[server]==0.3.36', 'gguf==0.19.0', 'safetensors==0.8.0'],
  'llama-server': ['gguf==0.19.0', 'safetensors==0.8.0'],
} satisfies Record<string, string[]>
export type Name = keyof typeof packages

/** Whether it tells the ids of what it writes, and goes on from ids: then texts do not depend on what is sent again. */
export const tellsIds: Record<Name, boolean> = {
  transformers: false,
  'llama-cpp-python': false,
  'llama-server': true,
}

const demo = (name: string) => path.join(import.meta.dirname, '../../gpu-backend/models', name)

export const start: Record<Name, (given: Given) => Promise<Served>> = {
  /** One server for both: it loads the model that a request names, which may be a folder. */
  async transformers({ python, signal }) {
    const program = path.join(path.dirname(python), 'transformers')
    const engine = await startEngine(program, (port) => ['serve', '--port', port], signal)
    const model = (name: string) => ({ url: engine.url, model: demo(name) })
    return served(model('target'), model('draft'), engine)
  },

  /** By default a request breaks off the one before it. */
  'llama-cpp-python': (given) =>
    each(given, (file, name) =>
      startEngine(
        given.python,
        (port) => [
          '-m',
          'llama_cpp.server',
          `--port=${port}`,
          `--model=${file}`,
          `--model_alias=${name}`,
          '--interrupt_requests=false',
          '--n_ctx=2048',
        ],
        given.signal,
      ),
    ),

  'llama-server': (given) => {
    const { llamaServer } = given
    if (!llamaServer) throw new Error('llama-server: name the program with --llama-server')
    return each(given, (file, name) =>
      startEngine(
        llamaServer,
        (port) => ['--port', port, '-m', file, '--alias', name, '-np', '4', '-c', '8192', '--no-webui'],
        given.signal,
      ),
    )
  },
}

/** A server for each model, of a GGUF file. */
async function each(given: Given, startOne: (file: string, name: string) => Promise<Engine>): Promise<Served> {
  const target = await startOne(await fileOf('target', given), 'target')
  try {
    const draft = await startOne(await fileOf('draft', given), 'draft')
    return served({ url: target.url, model: 'target' }, { url: draft.url, model: 'draft' }, draft, target)
  } catch (error) {
    await target[Symbol.asyncDispose]()
    throw error
  }
}

async function fileOf(name: string, { python, gguf, signal }: Given): Promise<string> {
  if (gguf) return gguf
  const folder = path.join(tmpdir(), 'lookahead-gguf')
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, `${name}.gguf`)
  await execute(python, [path.join(import.meta.dirname, 'to_gguf.py'), demo(name), file], process.env, signal)
  return file
}

const served = (target: Model, draft: Model, ...engines: Engine[]): Served => ({
  target,
  draft,
  async [Symbol.asyncDispose]() {
    for (const engine of engines) await engine[Symbol.asyncDispose]()
  },
})
