#!/usr/bin/env node
import { ModelError } from './checkpoint/index.ts'
import { UsageError, help, readFlags } from './server/flags.ts'
import { serve } from './server/serve.ts'

const [command, ...args] = process.argv.slice(2)

try {
  if (command !== 'serve') {
    const asked = command === undefined || command === '--help' || command === 'help'
    if (!asked) throw new UsageError(`there is no command "${command}"; try: lookahead serve --help`)
    console.log(help)
  } else {
    const options = readFlags(args, process.env)
    if (options === 'help') console.log(help)
    else await run(options)
  }
} catch (error) {
  if (error instanceof ModelError || error instanceof UsageError || isSystemError(error)) {
    console.error(`lookahead: ${error.message}`)
    process.exit(1)
  }
  throw error
}

async function run(options: Exclude<ReturnType<typeof readFlags>, 'help'>): Promise<void> {
  const server = await serve(options)
  console.log(`lookahead backend listening on ${server.url}`)
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, resolve)
  })
  console.log(`lookahead: ${signal}, finishing what runs`)
  await server.close()
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error
}
