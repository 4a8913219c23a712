import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Engine } from '../../engine/engine.ts'
import type { Role } from '../../engine/load-models.ts'
import type { ModelRunner } from '../../engine/model-runner.ts'

/** A model that writes, by the name it is served under. */
export interface ServedModel {
  name: Role
  runner: ModelRunner
}

/** @throws {ProtocolError} 404 `model_not_found` */
export function servedModel(engine: Engine, name: string): ServedModel {
  const writers = engine.runners.filter(({ role }) => role !== 'judge' || engine.judge?.isChat)
  const writer = writers.find(({ role }) => role === name)
  if (writer) return { name: writer.role, runner: writer.runner }
  const why =
    name === 'judge' && engine.judge
      ? 'the judge was taught a question of its own, and can be asked nothing else'
      : `there is no model "${name}" to write with`
  const names = writers.map(({ role }) => `"${role}"`).join(' or ')
  throw new ProtocolError(404, 'model_not_found', `${why}: use ${names}`, { param: 'model' })
}
