import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import { expect, test } from 'vitest'
import { Controllers } from './controllers.ts'

const kind = (temperature: number) => parseRequest(RunRequest, { prompt: 'x', sampling: { temperature } })

test('of the kinds of run, of which there is no end, those seen last are remembered', () => {
  const controllers = new Controllers()
  const [first, second] = [controllers.for(kind(0)), controllers.for(kind(0.01))]
  for (let i = 2; i <= 64; i++) {
    controllers.for(kind(i / 100))
    expect(controllers.for(kind(0))).toBe(first)
  }
  expect(controllers.for(kind(0.01))).not.toBe(second)
})

test('what a run asks of its steps and guesses makes it one of another kind', () => {
  const controllers = new Controllers()
  const auto = (lookahead: object) => controllers.for(parseRequest(RunRequest, { prompt: 'x', lookahead }))
  const others = [{ steps: { sentences: true } }, { tokens: { ngram: 4 } }, { coupled: false }, { verifier: 'exact' }]
  for (const other of others) {
    expect(auto(other)).not.toBe(auto({}))
    expect(auto(other)).toBe(auto(other))
  }
})

test('a mode learns for itself, and one without steps looks no further ahead for that', () => {
  const controllers = new Controllers()
  const learning = (mode: string) =>
    controllers.for(parseRequest(RunRequest, { prompt: 'x', lookahead: { mode, adaptive: true } }))
  expect(new Set([learning('auto'), learning('lr+sd'), learning('lr')]).size).toBe(3)
  for (const mode of ['ar', 'sd']) expect(learning(mode).next()).toMatchObject({ depth: 0, steps: 'end' })
})

test('what is learnt with one threshold is not held true of another', () => {
  const controllers = new Controllers()
  const ask = (threshold?: number) =>
    controllers.for(parseRequest(RunRequest, { prompt: 'x', lookahead: { verifier: 'likelihood', threshold } }))
  expect(ask(0.2)).toBe(ask(0.2))
  expect(new Set([ask(), ask(0.2), ask(0.3)]).size).toBe(3)
})
