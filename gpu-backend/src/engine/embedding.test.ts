/** The verifier `embedding` in an engine: a real encoder, if a tiny and random one; in some tests the target says what the test wants. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { draftSteps, forget, loadEngine, unaided, verify } from '../../test/calls.ts'
import type { Verified } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import { Model, SentenceEncoder } from '../model/index.ts'
import { Session } from '../onnxruntime/index.ts'
import { Engine } from './engine.ts'

const fixtures = path.join(import.meta.dirname, '../../fixtures')
const mpnet = path.join(fixtures, 'sentence-encoders/mpnet')

describe('a step that the target says in other words', () => {
  const prompt = 'How many apples has Ann in the end, if she eats some?\n'
  const target = 'We get 12 apples in all.\n\n'
  const drafted = 'So the total is 12 apples.\n\n'
  const cosine = cosineByPython(target, drafted)

  const rule = (engine: Engine) => {
    const context = { id: 'run', prompt }
    const options = { max_tokens: 100, sampling: { temperature: 0 }, speculation: unaided, verifier: 'embedding' }
    return verify(engine, context, { steps: [{ text: drafted }], ...options })
  }

  describe.each([
    ['accepted where their cosine comes to the threshold', cosine - 0.001, true],
    ['rejected where it does not', cosine + 0.001, false],
  ])('is %s', (_, embeddingThreshold, accepted) => {
    const staged = stageEngine({ embedding: mpnet, embeddingThreshold })

    test('and the text goes on after it', async () => {
      staged.writes('target', prompt, [target], [drafted, 'Then.\n\n'])
      const { verdicts, commit } = await rule(staged.engine)
      expect(verdicts).toEqual([{ index: 0, accepted, reason: 'embedding' }])
      expect(commit.text).toBe(accepted ? `${drafted}Then.\n\n` : target)
    })
  })

  describe('but finds unlikely', () => {
    const staged = stageEngine({ embedding: mpnet, embeddingThreshold: -1, leastLogprob: -4 })

    test('is rejected, and the encoder not asked', async () => {
      staged.writes('target', prompt, [target], [drafted, 'Then.\n\n'])
      const asked = vi.spyOn(staged.engine.encoder!, 'embed')
      const { verdicts } = await rule(staged.engine)
      expect(verdicts).toEqual([{ index: 0, accepted: false, reason: 'unlikely' }])
      expect(asked).not.toHaveBeenCalled()
    })
  })

  describe('when the encoder fails', () => {
    const staged = stageEngine({ embedding: mpnet, embeddingThreshold: -1 })

    test('is rejected, and the next one ruled on', async () => {
      staged.writes('target', prompt, [target], [drafted, 'Then.\n\n'])
      vi.spyOn(console, 'error').mockImplementation(() => undefined)
      vi.spyOn(Session.prototype, 'run').mockImplementationOnce(() => {
        throw new Error('no memory')
      })
      const { verdicts, commit } = await rule(staged.engine)
      expect(verdicts).toEqual([{ index: 0, accepted: false, reason: 'judge_failed' }])
      expect(commit.text).toBe(target)
      expect((await rule(staged.engine)).verdicts).toEqual([{ index: 0, accepted: true, reason: 'embedding' }])
    })
  })
})

function cosineByPython(a: string, b: string): number {
  const file = path.join(fixtures, 'sentence-encoders/reference.json')
  const { texts, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
    texts: string[]
    cases: { checkpoint: string; embeddings: string }[]
  }
  const { embeddings } = cases.find(({ checkpoint }) => checkpoint === 'mpnet')!
  const all = new Float32Array(Uint8Array.from(Buffer.from(embeddings, 'base64')).buffer)
  const width = all.length / texts.length
  const [x, y] = [a, b].map((text) => {
    const at = texts.indexOf(text)
    expect(at).toBeGreaterThanOrEqual(0)
    return all.subarray(at * width, (at + 1) * width)
  })
  return x!.reduce((sum, value, i) => sum + value * y![i]!, 0)
}

describe('whole runs', () => {
  const sampling = { temperature: 0 }

  /** The cycle, as the worker runs it. */
  async function run(engine: Engine, question: string, depth: number) {
    const messages = [{ role: 'user' as const, content: question }]
    const tokens: number[] = []
    const verdicts: Verified['verdicts'] = []
    for (;;) {
      const context = tokens.length > 0 ? { id: 'run', length: tokens.length } : { id: 'run', messages }
      const steps = depth > 0 ? await draftSteps(engine, context, depth, { sampling }) : []
      const drafted = steps.map(({ id, text }) => ({ id, text }))
      const known = depth > 0 ? { id: 'run', length: tokens.length } : context
      const rest = depth > 0 ? {} : ({ decode: 'end' } as const)
      const options = { steps: drafted, max_tokens: 600 - tokens.length, sampling, verifier: 'embedding', ...rest }
      const { commit, verdicts: ruled } = await verify(engine, known, options)
      verdicts.push(...ruled)
      tokens.push(...commit.tokens)
      if (commit.finish) return { tokens, verdicts, finish: commit.finish }
    }
  }
  const reasons = ({ verdicts }: Awaited<ReturnType<typeof run>>, accepted: boolean) =>
    new Set(verdicts.filter((verdict) => verdict.accepted === accepted).map(({ reason }) => reason))

  test('end, with steps accepted for their meaning; of which none is where no cosine comes to the threshold', async () => {
    const { question } = testProblems(1)[0]!
    const options = { judge: false, embedding: mpnet, leastLogprob: -Infinity }
    const [lax, strict] = [
      await loadEngine({ ...options, embeddingThreshold: -1 }),
      await loadEngine({ ...options, embeddingThreshold: 1.01 }),
    ]
    const accepting = await run(lax, question, 4)
    expect(accepting.finish).toBe('stop')
    expect(reasons(accepting, true)).toContain('embedding')
    expect(reasons(accepting, false)).not.toContain('embedding')
    const plain = await run(strict, question, 0)
    const rejecting = await run(strict, question, 4)
    expect(rejecting.tokens).toEqual(plain.tokens)
    expect(reasons(rejecting, false)).toContain('embedding')
    for (const engine of [lax, strict]) {
      forget(engine)
      engine.close()
    }
  })
})

describe('the encoder of an engine', () => {
  let models: string
  beforeEach(async () => {
    models = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
    await symlink(path.join(import.meta.dirname, '../../models/target'), path.join(models, 'target'))
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await rm(models, { recursive: true })
  })
  const load = (options: { embedding?: string } = {}) => Engine.load({ models, slots: 256, ...options })

  test('is loaded only where there is one, and then the one beside the models unless another is named', async () => {
    const none = await load()
    expect(none.encoder).toBeUndefined()
    expect(() => none.verifier('embedding')).toThrow(/there is no "embedding": there are exact, judge/)
    none.close()
    await symlink(path.join(fixtures, 'sentence-encoders/bert'), path.join(models, 'embedding'))
    const loaded = vi.spyOn(SentenceEncoder, 'load')
    for (const [options, folder] of [
      [{}, path.join(models, 'embedding')],
      [{ embedding: mpnet }, mpnet],
    ] as const) {
      const engine = await load(options)
      expect(engine.verifier('embedding').name).toBe('embedding')
      expect(loaded.mock.lastCall?.[0]).toBe(folder)
      engine.close()
    }
  })

  test('is refused before any model is loaded, with what to do', async () => {
    const loaded = vi.spyOn(Model, 'load')
    const refused = load({ embedding: path.join(fixtures, 'tiny-qwen3') })
    await expect(refused).rejects.toMatchObject({ name: 'ModelError', code: 'unsupported' })
    await expect(refused).rejects.toThrow(/tiny-qwen3 is a qwen3 model.*name a sentence-transformers checkpoint/)
    await expect(load({ embedding: path.join(models, 'nowhere') })).rejects.toMatchObject({ code: 'not_found' })
    expect(loaded).not.toHaveBeenCalled()
  })

  test('is closed with it, and models with an encoder that cannot be loaded', async () => {
    const engine = await load({ embedding: mpnet })
    const { encoder } = engine
    engine.close()
    await expect(encoder!.embed(['a'])).rejects.toMatchObject({ code: 'closed' })
    const closed = vi.spyOn(Model.prototype, 'close')
    vi.spyOn(SentenceEncoder, 'load').mockRejectedValueOnce(new Error('no memory'))
    await expect(load({ embedding: mpnet })).rejects.toThrow('no memory')
    expect(closed).toHaveBeenCalledOnce()
  })
})
