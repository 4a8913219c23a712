import type { Area } from '../mutant.ts'

const stream = 'gpu-backend/src/server/stream.ts'
const lookahead = 'gpu-backend/src/server/lookahead.ts'
const calls = 'gpu-backend/src/server/calls.ts'
const chat = 'gpu-backend/src/server/openai/chat.ts'
const fairnessTest = 'gpu-backend/src/server/fairness.test.ts'
const leavingTest = 'gpu-backend/src/server/leaving.test.ts'
const streamTest = 'gpu-backend/src/server/stream.test.ts'
const openaiTest = 'gpu-backend/src/server/openai/openai.test.ts'
const queueTest = 'gpu-backend/src/server/queue.test.ts'
const thinkingTest = 'gpu-backend/src/server/openai/thinking.test.ts'

export const server: Area = {
  name: 'server',
  mutants: [
    {
      file: stream,
      from: ', onCancel: call.leave })',
      to: ' })',
      means: 'a cancelled body does not abort its call',
      tests: [leavingTest],
    },
    {
      file: lookahead,
      from: "if (event.type === 'commit' && event.finish) isOver = true\n",
      to: '\n',
      means: 'the context of a text that has ended stays until it is idle',
      tests: [leavingTest],
    },
    {
      file: lookahead,
      from: 'let goesOn = false',
      to: 'let goesOn = true',
      means: 'the context of a call that failed, or whose client left, stays',
      tests: [leavingTest],
    },
    {
      file: lookahead,
      from: "if (event.type !== 'context' || isHelper) call.started()\n",
      to: '\n',
      means: 'a call that is being answered counts as waiting to its end',
      tests: [leavingTest],
    },
    {
      file: lookahead,
      from: '    leave()\n',
      to: '',
      means: 'a context stays busy after its call',
      tests: [leavingTest],
    },
    {
      file: stream,
      from: '    call.end()\n',
      to: '',
      means: 'calls that have ended count as running',
      tests: [leavingTest],
    },
    {
      file: lookahead,
      from: 'service.ready(id).contexts.drop(id)\n',
      to: 'service.ready(id)\n',
      means: 'a context that its caller gives up stays',
      tests: [leavingTest],
    },
    {
      file: calls,
      from: "connection.addEventListener('abort', leave)\n",
      to: '\n',
      means: 'a connection that closes does not abort its call',
      tests: [leavingTest],
    },
    {
      file: calls,
      from: 'if (!fits && !isSmall && !hasLittle)',
      to: 'if (!fits && !hasLittle)',
      means: 'one large call keeps all others out',
      tests: [fairnessTest],
    },
    {
      file: 'gpu-backend/src/server/openai/write-all.ts',
      from: '(index % n === 0 ? turns[index / n] :',
      to: '(index % n === 0 ? undefined :',
      means: 'all prompts of a call are read before those of others',
      tests: [fairnessTest],
    },
    {
      file: calls,
      from: 'if (!fits && !isSmall && !hasLittle)',
      to: 'if (!fits && !isSmall)',
      means: 'a client that has little in the queue is kept out by another',
      tests: [fairnessTest],
    },
    {
      file: calls,
      from: 'clients.size * users.size',
      to: 'clients.size',
      means: 'the share of a token is as much for each of its users',
      tests: [fairnessTest],
    },
    {
      file: 'gpu-backend/src/server/caller.ts',
      from: '(isGuarded ?',
      to: '(key ?',
      means: 'invented tokens make clients of one address',
      tests: [fairnessTest],
    },
    {
      file: calls,
      from: 'if (queued.requests >= this.#limits.requests &&',
      to: 'if (queued.requests > this.#limits.requests &&',
      means: 'one call more waits than may',
      tests: [leavingTest],
    },
    {
      file: stream,
      from: '  addAbortListener(call.left, () => setImmediate(() => void rest.return()))\n',
      to: '',
      means: 'a call whose connection closed unread stays at work',
      tests: [leavingTest, streamTest],
    },
    {
      file: stream,
      from: 'const rest = resumed(text.next(), text)',
      to: 'const rest = text',
      means: 'a stream that is left before it is read never ends its call',
      tests: [leavingTest, streamTest],
    },
    {
      file: stream,
      from: '    if (encoder.end !== undefined) yield encoder.end\n',
      to: '',
      means: 'a stream ends without `[DONE]`',
      tests: [streamTest, openaiTest],
    },
    {
      file: stream,
      from: 'yield encoder.error(publicError(error, call.request))',
      to: 'void error',
      means: 'a stream that fails ends as if it were complete',
      tests: [streamTest, leavingTest],
    },
    {
      file: lookahead,
      from: '    if (isNew) engine.contexts.giveUp(context)\n',
      to: '',
      means: 'a context that was made for a refused call stays',
      tests: [queueTest],
    },
    {
      file: chat,
      from: 'request.stop_in_reasoning ? undefined : channels',
      to: 'channels',
      means: 'stop strings never count in the thinking',
      tests: [thinkingTest],
    },
    {
      file: chat,
      from: "channel === 'reasoning' ? { reasoning: text } : { content: text }",
      to: '{ content: text }',
      means: 'what the model thinks is streamed as its answer',
      tests: [thinkingTest],
    },
    {
      file: chat,
      from: "if (delta.channel === 'answer') message",
      to: 'if (delta.channel) message',
      means: 'what the model thinks is part of its answer',
      tests: [thinkingTest],
    },
  ],
}
