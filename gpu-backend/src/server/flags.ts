import { findPackageJSON } from 'node:module'
import path from 'node:path'
import { contentRuleNames, EMBEDDING_THRESHOLD } from '@lookahead/worker/verifiers'
import type { ContentRule } from '@lookahead/worker/verifiers'
import { LEAST_LOGPROB } from '../engine/judging/likelihood.ts'
import { decimal, listOf, matching, Option, some, whole, type Command } from '../flags.ts'
import type { WeightType } from '../graph/index.ts'
import type { Device } from '../onnxruntime/index.ts'
import { readConfigFile } from './config-file.ts'
import { UsageError, deviceOption, weightsOption } from '../usage.ts'

export interface ServeOptions {
  models: string
  /** Name of the draft's folder in `models`. Undefined: `draft`, where there is one. */
  draft?: string | undefined
  /** Whether the judge is loaded, if there is one. */
  judge: boolean
  /** -Infinity when it is off. */
  leastLogprob: number
  rules: readonly ContentRule[]
  verifierTimeoutMs: number
  /** Undefined: `embedding/` in the models' folder, if it is there. */
  embedding?: string | undefined
  embeddingThreshold: number
  host: string
  port: number
  memory: number
  /** Undefined: as many as `memory` holds. */
  slots?: number | undefined
  batchTokens: number
  queue: { requests: number; tokens: number }
  device: Device | 'auto'
  threads?: number | undefined
  /** Undefined: fp32 on the CPU, each checkpoint's own half precision on CUDA. */
  weights?: WeightType | undefined
  token?: readonly string[] | undefined
  cors?: readonly string[] | undefined
  contextIdleMs: number
  writeTimeoutMs: number
  drainMs: number
}

/** Beside the sources, and in the package that is installed. */
const models = path.join(path.dirname(findPackageJSON(import.meta.url)!), 'models')

/** A variable of the same name, which the flag overrules. An empty one is as good as none. */
function variable(flag: string): string {
  const name = `LOOKAHEAD_${flag.toUpperCase().replaceAll('-', '_')}`
  if (process.env[name] === '') delete process.env[name]
  return name
}

const setting = <const Flags extends string>(flags: Flags, description: string) => {
  const option = new Option(flags, description)
  return option.env(variable(option.name()))
}

/** A number of at most 0; `off` is as good as -Infinity. */
const leastLogprob = (text: string): number => (text === 'off' ? -Infinity : decimal(-Infinity, 0)(text))

/** `none` is no rule. */
const rules = (text: string): ContentRule[] => (text === 'none' ? [] : listOf(contentRuleNames)(text))

/** As browsers name them: scheme, host and port. */
const ORIGIN = String.raw`(\*|https?://[^\s,/?#@]+)`
const origins = (text: string): string[] =>
  matching(new RegExp(`^${ORIGIN}(,${ORIGIN})*$`), 'origins such as https://app.example, or "*"')(text).split(',')

/** The flags of `lookahead serve`. */
export function withServeFlags(command: Command) {
  return command
    .addOption(
      setting('--config <file>', 'JSON with flags, which those given here and in variables go before').argParser(some),
    )
    .hook('preAction', (asked) => {
      const config: unknown = asked.getOptionValue('config')
      if (typeof config === 'string') readConfigFile(asked, config)
    })
    .addOption(
      setting('--models <folder>', 'folder with target/, draft/ and judge/ (Hugging Face layout)')
        .argParser(some)
        .default(models, 'the demo models'),
    )
    .addOption(
      setting(
        '--draft <name>',
        'which folder in --models has the draft (default: draft, where there is one)',
      ).argParser(matching(/^(?!\.+$)[^/\\]+$/, 'the name of a folder in --models')),
    )
    .addOption(
      setting(
        '--judge <which>',
        "auto: the one in judge/, if there is one; none: the verifier judge accepts only drafted steps equal to the target's own",
      )
        .choices(['auto', 'none'] as const)
        .default('auto' as const),
    )
    .addOption(
      setting(
        '--least-logprob <n>',
        'no step is accepted by the judge if the target gives a token of it a smaller log-probability; off: any may be',
      )
        .argParser(leastLogprob)
        .default(LEAST_LOGPROB),
    )
    .addOption(
      setting(
        '--rules <a,b>',
        `what the verifiers judge and embedding reject unasked, of ${contentRuleNames.join(', ')}: steps that name others; none: for code or algebra`,
      )
        .argParser(rules)
        .default(contentRuleNames, contentRuleNames.join()),
    )
    .addOption(
      setting('--verifier-timeout <seconds>', 'a verifier that has not answered by then accepts nothing')
        .argParser(whole(1, 3600))
        .default(30),
    )
    .addOption(
      setting(
        '--embedding <folder>',
        'sentence-transformers checkpoint (BERT, MiniLM or MPNet) for the verifier "embedding" (default: embedding/ in --models, if it is there)',
      ).argParser(some),
    )
    .addOption(
      setting('--embedding-threshold <n>', 'the verifier "embedding" accepts steps of this cosine or more, -1 to 1')
        .argParser(decimal(-1, 1))
        .default(EMBEDDING_THRESHOLD),
    )
    .addOption(setting('--host <address>', 'address to listen on').argParser(some).default('127.0.0.1'))
    .addOption(
      setting('--port <port>', 'port to listen on; 0 takes a free one').argParser(whole(0, 65_535)).default(8600),
    )
    .addOption(
      setting('--memory <MiB>', 'memory for the keys and values of all models together')
        .argParser(whole(1, 2 ** 24))
        .default(1024),
    )
    .addOption(
      setting('--slots <n>', 'token slots of each model (default: as many as --memory holds)').argParser(
        whole(256, 2 ** 24),
      ),
    )
    .addOption(
      setting('--batch-tokens <n>', 'new tokens that a forward may have')
        .argParser(whole(1, 2 ** 20))
        .default(512),
    )
    .addOption(
      setting('--max-queued-requests <n>', 'while so many wait to begin, others are refused with 429')
        .argParser(whole(1, 2 ** 20))
        .default(256),
    )
    .addOption(
      setting('--max-queued-tokens <n>', 'the same, by the tokens of their prompts')
        .argParser(whole(1, 2 ** 30))
        .default(131_072),
    )
    .addOption(deviceOption('where forwards run; auto is cuda where it can be used').env(variable('device')))
    .addOption(setting('--threads <n>', 'threads for forwards (default: one per core)').argParser(whole(1, 1024)))
    .addOption(weightsOption().env(variable('weights')))
    .addOption(
      setting(
        '--token <secret>',
        'bearer token that callers must show, or several, by commas: one for each that shall know nothing of the others (default: none)',
      ).argParser(some),
    )
    .addOption(
      setting(
        '--cors <origins>',
        'origins whose pages may call it, with commas between them; "*": all (default: none)',
      ).argParser(origins),
    )
    .addOption(
      setting('--context-idle <seconds>', 'idle contexts are dropped after this time')
        .argParser(whole(1, 86_400))
        .default(60),
    )
    .addOption(
      setting('--write-timeout <seconds>', 'a client that has read nothing for so long has left')
        .argParser(whole(1, 86_400))
        .default(60),
    )
    .addOption(
      setting('--drain <seconds>', 'running calls may go on this long once asked to stop')
        .argParser(whole(0, 3600))
        .default(10),
    )
}

type ServeFlags = ReturnType<ReturnType<typeof withServeFlags>['opts']>

/** @throws {UsageError} for a token that no caller could show, which is not repeated */
export function serveOptions(flags: ServeFlags): ServeOptions {
  // The form of RFC 6750.
  const token = flags.token?.split(',')
  if (token?.some((secret) => !/^[\w.~+/-]+=*$/.test(secret)))
    throw new UsageError('--token may have letters, digits and -._~+/ only')
  const {
    maxQueuedRequests,
    maxQueuedTokens,
    contextIdle,
    writeTimeout,
    drain,
    judge,
    verifierTimeout,
    config: _,
    ...same
  } = flags
  const queue = { requests: maxQueuedRequests, tokens: maxQueuedTokens }
  return {
    ...same,
    token,
    judge: judge === 'auto',
    queue,
    verifierTimeoutMs: verifierTimeout * 1000,
    contextIdleMs: contextIdle * 1000,
    writeTimeoutMs: writeTimeout * 1000,
    drainMs: drain * 1000,
  }
}
