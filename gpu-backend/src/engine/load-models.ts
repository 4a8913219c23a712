import { existsSync } from 'node:fs'
import path from 'node:path'
import { ModelError, readDecoderConfig } from '../checkpoint/index.ts'
import { assertBuildable, precisionOf, type PrecisionOptions, type WeightType } from '../graph/index.ts'
import { Model, SentenceEncoder, slotBytes } from '../model/index.ts'
import type { Device } from '../onnxruntime/index.ts'
import { encoderFolder } from './judging/embedding.ts'
import { readJudgeQuestion } from './judging/judge-question.ts'
import { Judge } from './judging/judge.ts'
import { ModelRunner } from './model-runner.ts'
import { assertSameTokens } from './text/same-tokens.ts'

export type Role = 'target' | 'draft' | 'judge'

export interface ModelOptions {
  /** Folder with a checkpoint each in `target/` and, unless they are to be done without, `draft/` and `judge/`. */
  models: string
  /** Name of the draft's folder in `models`, which must then be there. Default: `draft`, where there is one. */
  draft?: string | undefined
  /** Memory in MiB for the keys and values of all models together; every pool gets as many slots. Default 1024. */
  memory?: number | undefined
  /** Token slots of each model's pool. Default: as many as `memory` holds. */
  slots?: number | undefined
  /** New tokens that a forward may have; longer prompts are run in chunks. Default 512. */
  batchTokens?: number | undefined
  /** Where forwards run and the pools lie. Default: the CPU. */
  device?: Device | undefined
  /** Threads of each model's forwards. Default: the machine's cores. Models of up to 4 M parameters have one in any case. */
  threads?: number | undefined
  /** How each model's linear layers are kept and multiplied. Default: fp32 on the CPU, the checkpoint's own half precision on CUDA. */
  weights?: WeightType | undefined
  /** Whether models hand out the likeliest tokens in place of whole logits where they will do. Default: from 4,096 tokens on. */
  reducedLogits?: boolean | undefined
  /** Whether the judge is loaded where there is one. Default: yes. Without one only steps equal to the target's own are accepted. */
  judge?: boolean | undefined
  /** Folder with the encoder of the verifier `embedding`. Default: `embedding/` in `models`; where that is not there, nor is the verifier. */
  embedding?: string | undefined
  /** Stops loading. */
  signal?: AbortSignal | undefined
}

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
export async function loadModels(options: ModelOptions): Promise<Models> {
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
  const encoderIn = await encoderFolder(models, options.embedding)
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
