import { ProtocolError } from '@lookahead/sdk/protocol'
import type { ModelRunner } from '../../engine/model-runner.ts'
import type { Engine } from '../../engine/engine.ts'

/** A model that writes, by the name it is served under. */
export interface ServedModel {
  name: 'target' | 'draft'
  runner: ModelRunner
}

/** @throws {ProtocolError} 404 `model_not_found` */
export function servedModel(engine: Engine, name: string): ServedModel {
  if (name === 'target') return { name, runner: engine.target }
  if (name === 'draft' && engine.draft) return { name, runner: engine.draft }
  const names = engine.draft ? '"target" or "draft"' : '"target"'
  throw new ProtocolError(404, 'model_not_found', `there is no model "${name}" to write with: use ${names}`, {
    param: 'model',
  })
}
