import type { Area } from '../mutant.ts'

const cache = 'gpu-backend/src/engine/prefix-cache.ts'
const tenancy = 'gpu-backend/src/engine/tenancy.ts'
const row = 'gpu-backend/src/engine/tree-row.ts'
const batcher = 'gpu-backend/src/engine/batcher.ts'
const admission = 'gpu-backend/src/engine/admission.ts'
const scheduler = 'gpu-backend/src/engine/scheduler.ts'
const slots = 'gpu-backend/src/engine/slots.ts'
const sharing = ['gpu-backend/src/engine/sharing.test.ts']
const cached = ['gpu-backend/src/engine/prefix-cache.test.ts', ...sharing]
const admitted = ['gpu-backend/src/engine/admission.test.ts']
const scheduled = ['gpu-backend/src/engine/scheduler.test.ts']

export const memory: Area = {
  name: 'engine/memory',
  mutants: [
    {
      file: cache,
      from: 'same < most && tokens[same] === text[start + same]',
      to: 'same < most && (same === 40 || tokens[same] === text[start + same])',
      means: 'a prefix match overlooks one differing token at place 40',
      tests: sharing,
    },
    {
      file: cache,
      from: 'same < child.tokens.length ? split(child, same) : child',
      to: 'child',
      means: 'a text is given the slots of another beyond what they have in common',
      tests: cached,
    },
    {
      file: cache,
      from: 'this.#pool.give(slots.slice(0, known.length))\n',
      to: '',
      means: 'slots of what stood in the cache already are lost',
      tests: cached,
    },
    {
      file: cache,
      from: 'oldestLast.sort((a, b) => b.lastUsed - a.lastUsed)',
      to: 'oldestLast.sort((a, b) => a.lastUsed - b.lastUsed)',
      means: 'the most recently used goes first when slots are short',
      tests: cached,
    },
    {
      file: cache,
      from: 'leaf.slots.findLastIndex((slot) => this.#pool.isUsed(slot)) + 1',
      to: '0',
      means: 'slots in use are taken from the cache',
      tests: cached,
    },
    {
      file: cache,
      from: 'used < cached + same && this.#pool.isUsed',
      to: 'used < cached + same && !this.#pool.isUsed',
      means: 'a newcomer counts as shared what nobody uses: it is let in where there is no room for it',
      tests: sharing,
    },
    {
      file: tenancy,
      from: 'if (this.#entering) context.slots = this.#decoder.cache.insert(context.tokens, context.slots)\n',
      to: '',
      means: 'what a text has read is not there for others until it ends',
      tests: sharing,
    },
    {
      file: tenancy,
      from: 'if (this.#forerunner) return 0\n',
      to: '',
      means: 'texts that begin alike all read their beginning themselves',
      tests: sharing,
    },
    {
      file: tenancy,
      from: 'this.#decoder.pool.give(slots)\n    this.#decoder.queue.settle()\n  }\n\n  /** The chain',
      to: 'this.#decoder.queue.settle()\n  }\n\n  /** The chain',
      means: 'slots of rejected guesses are lost',
      tests: sharing,
    },
    {
      file: tenancy,
      from: '(isLeaf(run) ? run.prefix : 0)',
      to: '0',
      means: 'a leaf stands where the chain begins',
      tests: sharing,
    },
    {
      file: tenancy,
      from: '(isLeaf(run) ? run.prefix : 0)',
      to: '(isLeaf(run) ? this.chain.tokens.length : 0)',
      means: 'a leaf sees drafted steps after its own',
      tests: sharing,
    },
    {
      file: tenancy,
      from: 'path.length - (this.#due?.asked ?? 0)',
      to: 'path.length - 1',
      means: 'of a chain that stands in the cache no scores are asked for',
      tests: sharing,
    },
    {
      file: tenancy,
      from: 'sum(runs.map(({ tokens }) => tokens.length)) - used',
      to: '1',
      means: 'a newcomer asks for one slot, whatever it takes',
      tests: sharing,
    },
    {
      file: row,
      from: 'positions.push(before + i)',
      to: 'positions.push(own + i)',
      means: 'a leaf’s positions count the other leaves before it',
      tests: sharing,
    },
    {
      file: row,
      from: '[0, before],',
      to: '[0, own],',
      means: 'a leaf sees the other leaves before it',
      tests: sharing,
    },
    {
      file: row,
      from: '[own, own + i + 1],',
      to: '[own, own + run.tokens.length],',
      means: 'a token of a leaf sees those after it',
      tests: sharing,
    },
    {
      file: row,
      from: 'places.set(run, tokens.length - standing)',
      to: 'places.set(run, tokens.length)',
      means: 'scores come from another token than the one asked for',
      tests: sharing,
    },
    {
      file: batcher,
      from: 'positions: row.positions.slice(from, to)',
      to: 'positions: row.positions.slice(0, count)',
      means: 'the chunks of a prompt all stand at its beginning',
      tests: sharing,
    },
    {
      file: batcher,
      from: 'writeSlots: row.writeSlots.slice(from, to)',
      to: 'writeSlots: row.writeSlots.slice(0, count)',
      means: 'the chunks of a prompt write over each other',
      tests: sharing,
    },
    {
      file: batcher,
      from: 'start = end\n',
      to: '\n',
      means: 'texts in one forward get each other’s scores',
      tests: sharing,
    },
    {
      file: batcher,
      from: 'row.logitRows.filter((i) => i >= from && i < to).map((i) => i - from)',
      to: 'row.logitRows.filter((i) => i >= from && i < to)',
      means: 'scores of a chunk come from another token than the one asked for',
      tests: sharing,
    },
    {
      file: slots,
      from: 'if (--this.#users[slot]! > 0) continue',
      to: 'this.#users[slot] = 0',
      means: 'a slot is free after its first user',
      tests: ['gpu-backend/src/engine/slots.test.ts', ...cached],
    },
    {
      file: slots,
      from: 'if (this.#cached[slot] === 1) this.#evictable++\n      else this.#free.push(slot)',
      to: 'this.#free.push(slot)',
      means: 'a slot that the cache keeps is handed out',
      tests: ['gpu-backend/src/engine/slots.test.ts', ...cached],
    },
    {
      file: admission,
      from: 'text !== first && text.arrival >= first.arrival',
      to: 'text !== first',
      means: 'an older text gives its slots to a younger one',
      tests: admitted,
    },
    {
      file: admission,
      from: 'used - free + (texts.length - ended) * left',
      to: 'used - free + left',
      means: 'what is still to be written is expected of one text only',
      tests: admitted,
    },
    {
      file: admission,
      from: 'toSorted((a, b) => a.arrival - b.arrival)',
      to: 'toSorted((a, b) => b.arrival - a.arrival)',
      means: 'the youngest comes first',
      tests: admitted,
    },
    {
      file: scheduler,
      from: 'since.prompts >= PATIENCE ? 2 : 0',
      to: '0',
      means: 'prompts starve beside texts that fill the forwards',
      tests: scheduled,
    },
    {
      file: scheduler,
      from: 'if (chosen.length > 0 && isWasteful(grown)) continue',
      to: 'if (chosen.length > 99 && isWasteful(grown)) continue',
      means: 'rows of any length share a forward, however much padding that takes',
      tests: scheduled,
    },
    {
      file: scheduler,
      from: 'left -= chunk.tokens',
      to: 'left -= 1',
      means: 'a forward has more new tokens than its budget',
      tests: scheduled,
    },
  ],
}
