#!/usr/bin/env node
import packageJson from '../package.json' with { type: 'json' }
import { ModelError } from './checkpoint/index.ts'
import { Interrupted } from './commands/interrupt.ts'
import { HubError } from './hub/error.ts'
import { LibraryError } from './onnxruntime/library.ts'
import { UsageError } from './usage.ts'

interface Command {
  help: string
  run(args: string[], env: Record<string, string | undefined>): Promise<void>
}

/** Loaded only when asked for, so that each starts quickly. */
const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  serve: { summary: 'serves draft, target and judge over HTTP', load: () => import('./commands/serve.ts') },
  pull: { summary: 'brings a checkpoint from the Hugging Face hub', load: () => import('./commands/pull.ts') },
  build: { summary: "builds a checkpoint's graph ahead of time", load: () => import('./commands/build.ts') },
}

const help = `lookahead COMMAND [flags]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

lookahead COMMAND --help shows its flags.
lookahead --version shows the version.
`

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!isExplained(error)) throw error
  console.error(`lookahead: ${error.message}`)
  process.exit(error instanceof Interrupted ? error.exitCode : 1)
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === 'help') return console.log(help)
  if (name === '--version') return console.log(packageJson.version)
  const command = Object.hasOwn(commands, name) ? await commands[name]!.load() : undefined
  if (!command)
    throw new UsageError(
      `there is no command "${name}", only ${Object.keys(commands).join(', ')}; try: lookahead --help`,
    )
  if (args.includes('--help')) return console.log(command.help)
  await command.run(args, process.env)
}

/** Errors whose message is meant for the one who typed the command. */
function isExplained(error: unknown): error is Error {
  const ours = [ModelError, UsageError, HubError, LibraryError, Interrupted].some((type) => error instanceof type)
  return ours || (error instanceof Error && 'syscall' in error)
}
