/** The engines that runs can be sent to. One more is its own file and a line in `engines`. */
import { notConfigured } from '../setting-values.ts'
import type { Bindings } from '../settings.ts'
import type { Engine } from './engine.ts'
import { native } from './native-engine.ts'
import { openai } from './openai/engine.ts'

/** By the names that the setting `ENGINE` has for them. */
const engines = new Map<string, Engine>([
  ['native', native],
  ['openai', openai],
])

/** The engine that the worker is set up for. @throws {ProtocolError} 500 `not_configured` */
export function engineOf(env: Bindings): Engine {
  const engine = engines.get(env.ENGINE || 'native')
  if (!engine) throw notConfigured('ENGINE', `to one of: ${[...engines.keys()].join(', ')}`)
  return engine
}
