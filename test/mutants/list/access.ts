import type { Area } from '../mutant.ts'

const keys = 'worker/src/access/keys.ts'
const leases = 'worker/src/access/leases.ts'
const startRun = 'worker/src/start-run.ts'
const tests = ['worker/test/access.test.ts']

export const access: Area = {
  name: 'access',
  mutants: [
    {
      file: startRun,
      from: 'waitUntil(over.promise.then(leave))',
      to: 'waitUntil(over.promise)',
      means: 'a run that is over keeps its place until its lease runs out',
      tests,
    },
    {
      file: leases,
      from: 'if (until <= now || other === id) this.#leases.delete(other)',
      to: 'if (other === id) this.#leases.delete(other)',
      means: 'a worker that died keeps its places for ever',
      tests,
    },
    {
      file: leases,
      from: 'until <= now || other === id',
      to: 'until <= now',
      means: 'a stored run whose object was lost is in its own way',
      tests,
    },
    {
      file: leases,
      from: "if (own >= places.own) return 'own'",
      to: "if (own > places.own) return 'own'",
      means: 'a key has one more run than it may have',
      tests,
    },
    {
      file: keys,
      from: 'different |= ',
      to: 'different = ',
      means: 'a key whose hash ends like that of another is let in',
      tests,
    },
    {
      file: startRun,
      from: 'Math.min(request.max_tokens, caller.tokens ?? limitsOf(env).tokens)',
      to: 'request.max_tokens',
      means: 'a run writes as much as it asks for, whatever its key allows',
      tests,
    },
  ],
}
