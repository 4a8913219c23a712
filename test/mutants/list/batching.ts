import type { Area } from '../mutant.ts'

const batcher = 'gpu-backend/src/engine/batching/batcher.ts'
const scheduler = 'gpu-backend/src/engine/batching/scheduler.ts'
const sharingTest = 'gpu-backend/src/engine/sharing.test.ts'
const schedulerTest = 'gpu-backend/src/engine/batching/scheduler.test.ts'
const lookaheadTest = 'gpu-backend/src/engine/lookahead.test.ts'

export const batching: Area = {
  name: 'engine/batching',
  mutants: [
    {
      file: batcher,
      from: 'positions: row.positions.slice(from, to)',
      to: 'positions: row.positions.slice(0, count)',
      means: 'the chunks of a prompt all stand at its beginning',
      tests: [sharingTest],
    },
    {
      file: batcher,
      from: 'writeSlots: row.writeSlots.slice(from, to)',
      to: 'writeSlots: row.writeSlots.slice(0, count)',
      means: 'the chunks of a prompt write over each other',
      tests: [sharingTest],
    },
    {
      file: batcher,
      from: 'start = end\n',
      to: '\n',
      means: 'texts in one forward get each other’s scores',
      tests: [sharingTest],
    },
    {
      file: batcher,
      from: 'row.logitRows.filter((i) => i >= from && i < to).map((i) => i - from)',
      to: 'row.logitRows.filter((i) => i >= from && i < to)',
      means: 'scores of a chunk come from another token than the one asked for',
      tests: [sharingTest],
    },
    {
      file: batcher,
      from: '{ beside: this.#isBeside() }',
      to: '{ beside: false }',
      means: 'the target wants both cores while a step is drafted on one',
      tests: [lookaheadTest],
    },
    {
      file: 'gpu-backend/src/engine/model-runner.ts',
      from: 'void this.#drafting--',
      to: 'undefined',
      means: 'the target leaves a core to a draft that has long ended',
      tests: [lookaheadTest],
    },
    {
      file: scheduler,
      from: 'starved.prompts >= MOST_PASSED ? 2 : 0',
      to: '0',
      means: 'prompts starve beside texts that fill the forwards',
      tests: [schedulerTest],
    },
    {
      file: scheduler,
      from: 'if (chosen.length > 0 && isWasteful(grown)) continue',
      to: 'if (chosen.length > 99 && isWasteful(grown)) continue',
      means: 'rows of any length share a forward, however much padding that takes',
      tests: [schedulerTest],
    },
    {
      file: scheduler,
      from: 'left -= chunk.tokens',
      to: 'left -= 1',
      means: 'a forward has more new tokens than its budget',
      tests: [schedulerTest],
    },
  ],
}
