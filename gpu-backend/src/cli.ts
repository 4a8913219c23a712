import packageJson from '../package.json' with { type: 'json' }
import { ModelError } from './checkpoint/index.ts'
import { Interrupted } from './commands/interrupt.ts'
import { Option, command, decimal, matching, paragraph, points, some, whole } from './flags.ts'
import { HubError } from './hub/error.ts'
import { LibraryError } from './onnxruntime/library.ts'
import { withServeFlags } from './server/flags.ts'
import { deviceOption, UsageError, weightsOption } from './usage.ts'

const program = command('lookahead', 'Reasoning models that answer sooner: the backend and what it needs.')
  .version(packageJson.version, '--version', 'shows the version')
  .helpCommand('help [command]', 'shows the flags of a command')

// What a command does is loaded only when asked for, so that each starts quickly.
withServeFlags(program.command('serve'))
  .summary('serves draft, target and judge over HTTP')
  .description('Serves draft, target and judge over HTTP, until SIGINT or SIGTERM.')
  .action(async (flags) => (await import('./commands/serve.ts')).run(flags))

program
  .command('pull')
  .summary('brings a checkpoint from the Hugging Face hub')
  .description(
    paragraph(`Brings a checkpoint from the Hugging Face hub: config, tokenizer, chat template and safetensors, each checked against
the hub's checksum. What was interrupted goes on where it stopped.`),
  )
  .argument(
    '<org/name>',
    'a model of the hub',
    matching(/^[\w-][\w.-]*\/[\w-][\w.-]*$/, 'a name such as Qwen/Qwen3-0.6B'),
  )
  .option('--to <folder>', 'where to (default: a folder NAME here)', some)
  .option('--revision <rev>', 'branch, tag or commit', matching(/^\w(?!.*\.\.)[\w./-]*$/, 'such a name'), 'main')
  .addHelpText(
    'after',
    "\nHF_TOKEN is shown to the hub, for models that are private or gated. HF_ENDPOINT is another hub's address.",
  )
  .action(async (name, flags) => (await import('./commands/pull.ts')).run(name, flags, process.env))

program
  .command('build')
  .summary("builds a checkpoint's graph ahead of time")
  .description(
    paragraph(`Builds a checkpoint's graph ahead of time, so that serving starts at once, and says what it takes. The graph is kept in
LOOKAHEAD_CACHE (default ~/.cache/lookahead) until one is built from files that have changed.`),
  )
  .argument('<folder>', 'of a checkpoint', some)
  .addOption(
    deviceOption(
      'where it is to run; auto is cuda where it can be used; what is built for one does not serve the other',
    ),
  )
  .addOption(weightsOption())
  .option(
    '--memory <MiB>',
    'for the keys and values of all tokens, to say how many fit; the models of a server share it',
    whole(1),
    1024,
  )
  .action(async (folder, flags) => (await import('./commands/build.ts')).run(folder, flags))

program
  .command('install-cuda')
  .summary("fetches ONNX Runtime's libraries for an NVIDIA GPU")
  .description(
    paragraph(`Fetches ONNX Runtime's CUDA 12 libraries, for Linux on x64, into its package. An NVIDIA driver, CUDA 12 and cuDNN 9 must be
on the machine besides.`),
  )
  .action(async () => (await import('./commands/install-cuda.ts')).run())

program
  .command('plan')
  .summary('says how far ahead it pays to look')
  .description(
    paragraph(`Says how many steps and tokens to write at a time, by the formulas of arXiv 2506.19830, and what that gains over
plain decoding. docs/theory.md explains the symbols.`),
  )
  .option('--alpha1 <share>', 'chance that a drafted step is accepted', decimal(0, 1))
  .option('--alpha2 <share>', 'chance that a guessed token is accepted', decimal(0, 1))
  .option('--c1 <ratio>', "time to draft a step, in the target's for one", decimal(0))
  .option('--c2 <ratio>', "time to guess a token, in the target's for one", decimal(0))
  .option('--budget <tokens>', 'in a forward of the target, at no more cost than one', whole(1, 100_000), 32)
  .option('--rtt <ms>', 'round trip between worker and backend: also plays both cycles by the clock', decimal(0))
  .option('--step-tokens <n>', 'tokens of a step, for --rtt', whole(1, 10_000), 30)
  .option('--token-ms <ms>', 'a forward of the target, for --rtt', decimal(0.001), 13)
  .option('--from <file>', 'of npm run bench -- --out: takes what is not given from its runs, and predicts them', some)
  .option(
    '--forwards <list>',
    'for --from: milliseconds of forwards by their tokens, as in 1:1.9,16:3.2,64:8.8, where bench:engine has measured them',
    points,
  )
  .option('--json', 'one JSON object on stdout')
  .action(async (flags) => (await import('./commands/plan.ts')).run(flags))

program
  .command('key')
  .summary('makes an API key for a client of the worker')
  .description('Makes an API key for a client of the worker, and its entry, without the key, for the secret API_KEYS.')
  .argument('[name]', 'what logs and limits call it', matching(/^[\w.-]{1,64}$/, 'letters, digits and ._-'), 'client')
  .option('--runs <n>', 'runs of it that may go on at a time (default: MAX_RUNS_PER_KEY)', whole(1, 999_999_999))
  .option('--tokens <n>', 'tokens that a run of it may write (default: MAX_TOKENS)', whole(1, 999_999_999))
  .option('--json', 'one JSON object on stdout')
  .action(async (name, flags) => (await import('./commands/key.ts')).run({ name, ...flags }))

program
  .command('doctor')
  .summary('finds out what is wrong with a worker or backend')
  .description(
    paragraph(`Looks at a worker or a backend as its clients see it: whether it is reached, what it and the backend behind it say, versions,
keys at every hop, how far each is, and whether streams arrive as they are written; and says what to mend. Asks for one short answer. Exits with 1 if anything has failed.`),
  )
  .argument(
    '<url>',
    'of a worker or backend',
    matching(/^https?:\/\/[^\s/?#@]+\/*$/, 'an address such as https://api.example.com'),
  )
  .addOption(
    new Option('--key <secret>', "the worker's API key, or the backend's token").env('LOOKAHEAD_KEY').argParser(some),
  )
  .option('--json', 'one JSON object on stdout')
  .action(async (url, flags) => (await import('./commands/doctor.ts')).run(url, flags))

try {
  await program.parseAsync()
} catch (error) {
  if (!isExplained(error)) throw error
  console.error(`lookahead: ${error.message}`)
  process.exit(error instanceof Interrupted ? error.exitCode : 1)
}

/** Errors whose message is meant for the one who typed the command. */
function isExplained(error: unknown): error is Error {
  const ours = [ModelError, UsageError, HubError, LibraryError, Interrupted].some((type) => error instanceof type)
  return ours || (error instanceof Error && 'syscall' in error)
}
