import type { Area } from '../mutant.ts'

const lookahead = 'gpu-backend/src/server/lookahead.ts'
const calls = 'gpu-backend/src/server/calls.ts'
const contexts = 'gpu-backend/src/engine/contexts.ts'
const leaving = ['gpu-backend/src/server/leaving.test.ts']

export const server: Area = {
  name: 'server',
  mutants: [
    {
      file: lookahead,
      from: ', { onCancel: () => call.leave() })',
      to: ')',
      means: 'a cancelled body does not abort its call',
      tests: leaving,
    },
    {
      file: lookahead,
      from: "if (event.type === 'commit' && event.finish_reason) engine.contexts.giveUp(context)\n",
      to: '\n',
      means: 'the context of a text that has ended stays until it is idle',
      tests: leaving,
    },
    {
      file: lookahead,
      from: "if (end === 'abort' || end === 'error') engine",
      to: "if (end === 'error') engine",
      means: 'the context of a call whose client left stays',
      tests: leaving,
    },
    {
      file: lookahead,
      from: "if (end === 'abort' || end === 'error') engine",
      to: "if (end === 'abort') engine",
      means: 'the context of a call that failed stays',
      tests: leaving,
    },
    {
      file: lookahead,
      from: "if (event.type !== 'context') call.started()\n",
      to: '\n',
      means: 'a call that is being answered counts as waiting to its end',
      tests: leaving,
    },
    {
      file: lookahead,
      from: '      leave()\n      call.end()',
      to: '      call.end()',
      means: 'a context stays busy after its call',
      tests: leaving,
    },
    {
      file: lookahead,
      from: '      leave()\n      call.end()',
      to: '      leave()',
      means: 'calls that have ended count as running',
      tests: leaving,
    },
    {
      file: lookahead,
      from: "service.ready().contexts.drop(c.req.param('id'))\n",
      to: '\n',
      means: 'a context that its caller gives up stays',
      tests: leaving,
    },
    {
      file: calls,
      from: "connection.addEventListener('abort', leave)\n",
      to: '\n',
      means: 'a connection that closes does not abort its call',
      tests: leaving,
    },
    {
      file: calls,
      from: 'if (queued.requests >= this.#limits.requests)',
      to: 'if (queued.requests > this.#limits.requests)',
      means: 'one call more waits than may',
      tests: leaving,
    },
    {
      file: contexts,
      from: 'context.active.size === 0 && now',
      to: 'now',
      means: 'a context with a call at work is dropped as idle',
      tests: leaving,
    },
    {
      file: contexts,
      from: 'now - context.lastUsed > this.#idleMs',
      to: 'now - context.lastUsed < 0',
      means: 'an idle context is never dropped',
      tests: leaving,
    },
    {
      file: contexts,
      from: '!context || context.outputLength !== outputLength',
      to: '!context || context.outputLength < outputLength',
      means: 'a call goes on from a context that holds more than it knows of',
      tests: leaving,
    },
    {
      file: contexts,
      from: '!context || context.outputLength !== outputLength',
      to: '!context || context.outputLength > outputLength',
      means: 'a call goes on from a context that holds less than it knows of',
      tests: leaving,
    },
    {
      file: contexts,
      from: 'if (context.active.has(call))',
      to: 'if (context.active.size > 1)',
      means: 'two verifications are at work on one context',
      tests: leaving,
    },
    {
      file: contexts,
      from: 'if (context.active.has(call))',
      to: 'if (context.active.size > 0)',
      means: 'nothing is drafted on a context while it is verified',
      tests: leaving,
    },
    {
      file: contexts,
      from: 'if (this.#contexts.get(context.id) === context) this.drop',
      to: 'this.drop',
      means: 'a call that is given up takes the context with it that came in its place',
      tests: ['gpu-backend/src/server/app.test.ts'],
    },
  ],
}
