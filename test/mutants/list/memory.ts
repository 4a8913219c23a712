import type { Area } from '../mutant.ts'

const lease = 'gpu-backend/src/engine/memory/lease.ts'
const prefixCache = 'gpu-backend/src/engine/memory/prefix-cache.ts'
const tokenTree = 'gpu-backend/src/engine/memory/token-tree.ts'
const slotPool = 'gpu-backend/src/engine/memory/slot-pool.ts'
const admission = 'gpu-backend/src/engine/memory/admission.ts'
const priority = 'gpu-backend/src/engine/memory/priority.ts'
const slotQueue = 'gpu-backend/src/engine/memory/slot-queue.ts'
const kvCache = 'gpu-backend/src/engine/memory/kv-cache.ts'
const commitTest = 'gpu-backend/src/engine/commit.test.ts'
const sharingTest = 'gpu-backend/src/engine/sharing.test.ts'
const prefixCacheTest = 'gpu-backend/src/engine/memory/prefix-cache.test.ts'
const slotPoolTest = 'gpu-backend/src/engine/memory/slot-pool.test.ts'
const admissionTest = 'gpu-backend/src/engine/memory/admission.test.ts'
const draftModelTest = 'gpu-backend/src/engine/speculation/proposers/draft-model.test.ts'
const leaseTest = 'gpu-backend/src/engine/memory/lease.test.ts'
const preemptionTest = 'gpu-backend/src/engine/preemption.test.ts'
const secrecyTest = 'gpu-backend/src/server/secrecy.test.ts'
const kvCacheTest = 'gpu-backend/src/engine/memory/kv-cache.test.ts'
const tokenTreeTest = 'gpu-backend/src/engine/memory/token-tree.test.ts'
const leavingTest = 'gpu-backend/src/server/leaving.test.ts'

export const memory: Area = {
  name: 'engine/memory',
  mutants: [
    {
      file: prefixCache,
      from: 'join()}\\n${salt}`',
      to: 'join()}\\n`',
      means: 'a key finds what another key has asked',
      tests: [secrecyTest],
    },
    {
      file: lease,
      from: 'chain.slots.splice(0, prefix)',
      to: 'chain.slots.splice(0, Math.max(0, prefix - 1))',
      means: 'a slot of the chain is missing before the leaf: keys of other tokens are read',
      tests: [commitTest],
    },
    {
      file: prefixCache,
      from: 'same < most && tokens[same] === sequence[start + same]',
      to: 'same < most && (same === 40 || tokens[same] === sequence[start + same])',
      means: 'a prefix match overlooks one differing token at place 40',
      tests: [sharingTest],
    },
    {
      file: prefixCache,
      from: 'same < child.tokens.length ? split(child, same) : child',
      to: 'child',
      means: 'a text is given the slots of another beyond what they have in common',
      tests: [prefixCacheTest, sharingTest],
    },
    {
      file: prefixCache,
      from: 'this.#pool.give(slots.slice(0, known.length))\n',
      to: '',
      means: 'slots of what stood in the cache already are lost',
      tests: [prefixCacheTest, sharingTest],
    },
    {
      file: prefixCache,
      from: 'oldestLast.sort((a, b) => b.lastUsed - a.lastUsed)',
      to: 'oldestLast.sort((a, b) => a.lastUsed - b.lastUsed)',
      means: 'the most recently used goes first when slots are short',
      tests: [prefixCacheTest, sharingTest],
    },
    {
      file: prefixCache,
      from: 'leaf.slots.findLastIndex((slot) => this.#pool.isUsed(slot)) + 1',
      to: '0',
      means: 'slots in use are taken from the cache',
      tests: [prefixCacheTest, sharingTest],
    },
    {
      file: prefixCache,
      from: 'used < cached + same && this.#pool.isUsed',
      to: 'used < cached + same && !this.#pool.isUsed',
      means: 'a newcomer counts as shared what nobody uses: it is let in where there is no room for it',
      tests: [prefixCacheTest],
    },
    {
      file: lease,
      from: 'if (this.prefills) context.slots = this.#kv.prefixes.insert(context.tokens, context.slots, this.#salt)\n',
      to: '',
      means: 'what a text has read is not there for others until it ends',
      tests: [sharingTest],
    },
    {
      file: lease,
      from: 'if (this.#awaitedPrefill) return 0\n',
      to: '',
      means: 'texts that begin alike all read their beginning themselves',
      tests: [sharingTest],
    },
    {
      file: lease,
      from: '    this.#kv.pool.give(slots)\n',
      to: '',
      means: 'slots of rejected guesses are lost',
      tests: [sharingTest],
    },
    {
      file: tokenTree,
      from: '(isLeaf(run) ? run.prefix : 0)',
      to: '0',
      means: 'a leaf stands where the chain begins',
      tests: [sharingTest],
    },
    {
      file: tokenTree,
      from: '(isLeaf(run) ? run.prefix : 0)',
      to: '(isLeaf(run) ? this.chain.tokens.length : 0)',
      means: 'a leaf sees drafted steps after its own',
      tests: [sharingTest],
    },
    {
      file: lease,
      from: 'path.length - (this.#demand?.scored ?? 0)',
      to: 'path.length - 1',
      means: 'of a chain that stands in the cache no scores are asked for',
      tests: [sharingTest],
    },
    {
      file: lease,
      from: 'sum(runs.map(({ tokens }) => tokens.length)) - used',
      to: '1',
      means: 'a newcomer asks for one slot, whatever it takes',
      tests: [sharingTest],
    },
    {
      file: slotPool,
      from: 'if (--this.#users[slot]! > 0) continue',
      to: 'this.#users[slot] = 0',
      means: 'a slot is free after its first user',
      tests: [slotPoolTest, prefixCacheTest, sharingTest],
    },
    {
      file: slotPool,
      from: 'if (this.#cached[slot] === 1) this.#evictable++\n      else this.#free.push(slot)',
      to: 'this.#free.push(slot)',
      means: 'a slot that the cache keeps is handed out',
      tests: [slotPoolTest, prefixCacheTest, sharingTest],
    },
    {
      file: admission,
      from: 'other !== first && other.rank >= first.rank',
      to: 'other !== first',
      means: 'an older text gives its slots to a younger one',
      tests: [admissionTest],
    },
    {
      file: admission,
      from: 'used - free + (sequences.length - ended) * left',
      to: 'used - free + left',
      means: 'what is still to be written is expected of one text only',
      tests: [admissionTest],
    },
    {
      file: admission,
      from: 'toSorted((a, b) => a.rank - b.rank)',
      to: 'toSorted((a, b) => b.rank - a.rank)',
      means: 'the youngest comes first',
      tests: [admissionTest],
    },
    {
      file: lease,
      from: 'if (this.#options.optional) queue.takeNow(this)',
      to: 'if (this.#options.optional && tokens < 0) queue.takeNow(this)',
      means: 'guesses that can be done without wait for slots',
      tests: [draftModelTest, preemptionTest],
    },
    {
      file: lease,
      from: '    this.#keepInCache()\n',
      to: '',
      means: 'what had to give its slots back is all run again',
      tests: [leaseTest],
    },
    {
      file: lease,
      from: '    this.#kv.lengths.ended(written)\n',
      to: '',
      means: 'how long texts become is not learned',
      tests: [preemptionTest, admissionTest],
    },
    {
      file: lease,
      from: 'if (tokens > pool.size)',
      to: 'if (tokens >= pool.size)',
      means: 'a text that just fits is refused',
      tests: [leaseTest],
    },
    {
      file: lease,
      from: 'this.tree.held - this.#shared)',
      to: 'this.tree.held)',
      means: 'slots that others share count as to be had',
      tests: [leaseTest],
    },
    {
      file: lease,
      from: '    this.#counts = false\n',
      to: '',
      means: 'a text that had to wait counts twice among those looked up',
      tests: [leaseTest],
    },
    {
      file: lease,
      from: 'tokens.slice(0, slots.length)',
      to: 'tokens',
      means: 'a text that was not run enters the prefix cache',
      tests: [preemptionTest, sharingTest],
    },
    {
      file: priority,
      from: 'this.arrival + BRANCH_GAP * ++this.#branches',
      to: 'this.arrival',
      means: 'branches of one request are not told apart when slots are short',
      tests: [preemptionTest, admissionTest],
    },
    {
      file: priority,
      from: 'this.#restsSince > IDLE_SEQUENCE_MS',
      to: 'this.#restsSince > Infinity',
      means: 'a text that nobody reads keeps its slots from those that wait',
      tests: [preemptionTest, admissionTest],
    },
    {
      file: priority,
      from: '(this.#pauses ? 1 / 2 : 0)',
      to: '0',
      means: 'a branch that pauses keeps slots that its own request waits for',
      tests: [preemptionTest],
    },
    {
      file: slotQueue,
      from: 'for (const { failed } of waiting) failed(error)\n',
      to: '\n',
      means: 'who waits for slots is not told that none will come',
      tests: [preemptionTest],
    },
    {
      file: slotQueue,
      from: '        this.#waiting.delete(sequence)\n',
      to: '',
      means: 'who left still waits for slots',
      tests: [preemptionTest, leavingTest],
    },
    {
      file: kvCache,
      from: 'saved >= WORTH_WAITING && ',
      to: '',
      means: 'a text waits for another with which it has little in common',
      tests: [kvCacheTest],
    },
    {
      file: prefixCache,
      from: 'if (path.length === 0 && this.#pool.isCached(slots[0]!)) return [...slots]\n',
      to: '\n',
      means: 'slots are kept twice in the cache',
      tests: [prefixCacheTest],
    },
    {
      file: tokenTree,
      from: 'this.chain.tokens.length > 0 || !leaf ? this.chain : leaf',
      to: 'this.chain',
      means: 'what a text without drafted steps has written is not kept where its slots are taken',
      tests: [tokenTreeTest],
    },
    {
      file: prefixCache,
      from: 'Math.max(used, leaf.slots.length - (n - freed))',
      to: 'used',
      means: 'all of a text goes where a few slots are wanted',
      tests: [prefixCacheTest],
    },
  ],
}
