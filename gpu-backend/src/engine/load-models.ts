import { existsSync } from 'node:fs'
import path from 'node:path'
import { ModelError, readDecoderConfig } from '../checkpoint/index.ts'
import { assertBuildable, precisionOf, type PrecisionOptions } from '../graph/index.ts'
import { Model, SentenceEncoder, slotBytes } from '../model/index.ts'
import type { EngineOptions } from './engine.ts'
import { encoderFolder } from './judging/embedding.ts'
import { readJudgeQuestion } from './judging/judge-question.ts'
import { Judge } from './judging/judge.ts'
import { ModelRunner } from './model-runner.ts'
import { assertSameTokens } from './text/same-tokens.ts'

export type Role = 'target' | 'draft' | 'judge'

/** What an engine works with. */
export interface Models {
  target: ModelRunner
  draft: ModelRunner | undefined
  judge: Judge | undefined
  /** Of the verifier `embedding`. */
  encoder: SentenceEncoder | undefined
}

/** Fewer slots than this hold no question and its answer. */
const FEWEST_SLOTS = 256

/** All of them, or none. @throws as `Engine.load` does */
export async function loadModels(options: EngineOptions): Promise<Models> {
  const { models, draft = 'draft', memory = 1024, batchTokens = 512, judge = true } = options
  const { device, threads, weights, reducedLogits, signal } = options
  if (!existsSync(models)) throw new ModelError('not_found', `no model folder at ${models}: give one with --models`)
  const folder = (role: Role): string => path.join(models, role === 'draft' ? draft : role)
  if (options.draft !== undefined && !existsSync(folder('draft')))
    throw new ModelError(
      'not_found',
      `no draft model at ${folder('draft')}: give the name of a folder in ${models} with --draft`,
    )
  const wanted: Role[] = judge ? ['target', 'draft', 'judge'] : ['target', 'draft']
  const roles = wanted.filter((role) => role === 'target' || existsSync(folder(role)))
  const slots = options.slots ?? (await slotsWithin(memory, roles.map(folder), { device, weights }))
  if (roles.includes('draft')) await assertSameTokens(folder('target'), folder('draft'))
  const question = roles.includes('judge') ? await readJudgeQuestion(folder('judge')) : undefined
  for (const role of roles)
    await assertBuildable(folder(role), await readDecoderConfig(folder(role)), { device, weights })
  const encoderIn = await encoderFolder(options)
  const runners: Partial<Record<Role, ModelRunner>> = {}
  let encoder: SentenceEncoder | undefined
  try {
    for (const role of roles) {
      const beside = role === 'target' && roles.includes('draft')
      const model = await Model.load(folder(role), { slots, device, threads, weights, reducedLogits, beside, signal })
      runners[role] = new ModelRunner(model, batchTokens)
    }
    if (encoderIn !== undefined) encoder = await SentenceEncoder.load(encoderIn, { device, threads, signal })
  } catch (error) {
    for (const runner of Object.values(runners)) runner.model.close()
    throw error
  }
  const asked = runners.judge && new Judge(runners.judge, question!)
  return { target: runners.target!, draft: runners.draft, judge: asked, encoder }
}

/** Slots of each pool when the pools together may take `memory` MiB. */
async function slotsWithin(memory: number, folders: readonly string[], options: PrecisionOptions): Promise<number> {
  const configs = await Promise.all(folders.map((folder) => readDecoderConfig(folder)))
  const bytes = configs.reduce((sum, config) => sum + slotBytes(config, precisionOf(config, options).activations), 0)
  const slots = Math.floor((memory * 2 ** 20) / bytes)
  if (slots >= FEWEST_SLOTS) return slots
  const least = Math.ceil((FEWEST_SLOTS * bytes) / 2 ** 20)
  throw new ModelError('invalid', `--memory ${memory} holds ${slots} tokens: give ${least} MiB or more`)
}
