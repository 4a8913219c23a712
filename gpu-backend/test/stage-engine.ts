/** An engine for the tests of one file, whose models say what each test tells them to. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import type { ModelRunner } from '../src/engine/model-runner.ts'
import type { Engine, EngineOptions } from '../src/engine/engine.ts'
import { nominal } from '../src/engine/speculation/costs.ts'
import type { Tokenizer } from '../src/tokenizer/index.ts'
import { forget, loadEngine } from './calls.ts'
import { lines, stage } from './staged.ts'
import type { Say, Staged } from './staged.ts'

type Role = 'target' | 'draft' | 'judge'

export interface Stage {
  readonly engine: Engine
  readonly tokenizer: Tokenizer
  /** Ends a text. */
  readonly end: number
  /** Puts words into a model's mouth, for this test. */
  says: (role: Role, say: Say) => Staged
  /** What a model writes after `prompt`, each line from its beginning; the first that fits is taken. */
  writes: (role: Role, prompt: string, ...texts: string[][]) => Staged
  /** The judge finds two steps by so much more aligned than not; less than 0 is not aligned. */
  judges: (by: (target: string, draft: string) => number) => Staged
}

/** To be called at the top of a test file. After each test no slot may be lost, and no row may have had a fault. */
export function stageEngine(options: Partial<EngineOptions> = {}): Stage {
  let loaded: Engine | undefined
  let staged: Staged[] = []
  beforeAll(async () => {
    // What staged models find likely is not what a test is about, unless it says so.
    loaded = await loadEngine({ leastLogprob: -Infinity, ...options })
  })
  // No clock has a say in what is guessed.
  beforeEach(() => void vi.spyOn(loaded!, 'costsOf').mockReturnValue(nominal))
  afterAll(() => loaded?.close())
  afterEach(() => {
    vi.restoreAllMocks()
    const faults = staged.flatMap((model) => model.faults)
    staged = []
    forget(loaded!)
    expect(faults).toEqual([])
  })

  const runnerOf = (role: Role): ModelRunner => loaded!.runners.find((known) => known.role === role)!.runner
  const says = (role: Role, say: Say): Staged => {
    const model = stage(runnerOf(role).model, say)
    staged.push(model)
    return model
  }
  return {
    get engine() {
      return loaded!
    },
    get tokenizer() {
      return loaded!.target.model.tokenizer
    },
    get end() {
      return loaded!.target.model.generation.eosTokenIds[0]!
    },
    says,
    writes(role, prompt, ...texts) {
      const { tokenizer, end } = this
      return says(role, lines(tokenizer, tokenizer.encode(prompt).length, end, ...texts))
    },
    judges(by) {
      const { tokenizer } = runnerOf('judge').model
      const [aligned, unaligned] = ['aligned', 'unaligned'].map((word) => tokenizer.encode(word)[0]!) as [
        number,
        number,
      ]
      return says('judge', (text) => {
        const [, target, draft] = /\nA: (.*)\nB: ([^\n<]*)/.exec(tokenizer.decode(text))!
        return new Map([
          [aligned, by(target!, draft!)],
          [unaligned, 0],
        ])
      })
    },
  }
}
