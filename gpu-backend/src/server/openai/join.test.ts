import { expect, test } from 'vitest'
import { join } from './join.ts'
import { MAX_LOGPROBS } from './job.ts'
import type { IndexedPiece } from './write-all.ts'

async function* pieces(tokens: number): AsyncGenerator<IndexedPiece> {
  const top = [{ token: 1, logprob: -1 }]
  const logprobs = [{ token: 1, logprob: -1, rank: 1, top }]
  for (let i = 0; i < tokens; i++)
    yield { index: i % 2, isFirst: i < 2, text: 'a', tokens: [1], logprobs, ending: undefined }
}

test('an answer that comes to have more log probabilities than fit is given up, and the client told what to do', async () => {
  const ofPrompts = MAX_LOGPROBS / 2
  const [first, second] = await join(pieces(MAX_LOGPROBS / 4), { count: 2, entries: ofPrompts })
  expect([first!.text.length, second!.logprobs.length]).toEqual([MAX_LOGPROBS / 8, MAX_LOGPROBS / 8])
  const refused = { status: 400, param: 'logprobs', message: expect.stringContaining('stream it') as string }
  await expect(join(pieces(MAX_LOGPROBS / 4 + 1), { count: 2, entries: ofPrompts })).rejects.toMatchObject(refused)
})
