import { expect, test } from 'vitest'
import { run } from './run.ts'

async function demo(...args: string[]) {
  const { exit, output } = run('demo.ts', ...args)
  return { code: await exit, ...output }
}

test('a flag that is not known, or nothing for a question, is one line and exit code 2', async () => {
  for (const args of [['--nope'], [''], ['  ', '--json']]) {
    const { code, stdout, stderr } = await demo(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^npm run demo: .+\n$/)
  }
})

test('help is help', async () => {
  expect(await demo('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--json'), stderr: '' })
})

test('what the models cannot know is said beside the answer', async () => {
  const { code, stdout } = await demo('What is the capital of France?')
  expect(code).toBe(0)
  expect(stdout).toMatch(/speedup[^]*They do not know: capital, France\n/)
})

test('for programs, one line of JSON', async () => {
  const { code, stdout } = await demo('--json', 'How', 'much is 2 + 2?')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    question: 'How much is 2 + 2?',
    unfamiliarWords: ['+'],
    isStory: false,
    modes: { ar: { tokens: expect.any(Number) }, 'lr+sd': { tokens: expect.any(Number) } },
  })
})

test('a question that is too long is one line', async () => {
  const { code, stdout, stderr } = await demo('shells '.repeat(8000))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^starting .*\n.*context.*\n$/)
})

test('Ctrl-C while it starts ends it quietly', async () => {
  const { child, exit, output, processes } = run('demo.ts')
  await expect
    .poll(async () => (await processes()).some((line) => /cli\.ts serve/.test(line)), { interval: 5 })
    .toBe(true)
  const { stderr } = output
  child.kill('SIGINT')
  expect(await exit).toBe(130)
  expect(output).toEqual({ stdout: '', stderr })
  expect(await processes()).toEqual([])
})
