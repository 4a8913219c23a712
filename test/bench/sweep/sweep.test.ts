import { expect, test } from 'vitest'
import { readOptions } from '../options.ts'
import { ablations } from './ablations.ts'
import { flagsOf, missing, nameOf } from './variant.ts'

test('every variant that the protocol knows is a command that can be run', () => {
  for (const ablation of ablations)
    for (const variant of ablation.variants.filter((each) => missing(each) === undefined)) {
      const { fixedDepth = false, ...asked } = { ...ablation.base, ...variant }
      const options = readOptions(flagsOf(ablation, variant, ['--limit', '3']))
      expect(options, nameOf(variant)).toMatchObject({ ...asked, adaptive: !fixedDepth, limit: 3 })
      expect(options.modes).toContain('ar')
    }
})

test('what the protocol does not know is named', () => {
  const variant = { lookahead: { nonsense: true } }
  expect(nameOf(variant)).toBe('nonsense true')
  expect(missing(variant)).toMatch(/nonsense/)
  expect(missing({ depth: 3 })).toBeUndefined()
})

test('names of ablations are names of files, each once', () => {
  const names = ablations.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z-]+$/)
})
