import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'

const demo = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(import.meta.dirname, 'demo.ts'), ...args], { encoding: 'utf8' })

test('a flag that is not known is told in a line, with the flags there are and exit code 2', () => {
  const { status, stdout, stderr } = demo('--nope')
  expect({ status, stdout }).toEqual({ status: 2, stdout: expect.stringContaining('--json') })
  expect(stderr).toMatch(/^.*--nope.*\n\n$/)
})

test('help is help', () => {
  expect(demo('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--json'), stderr: '' })
})
