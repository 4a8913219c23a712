/** The functions that every template has. Source: jinja2/defaults.py, and chat_template_utils.py of transformers. */
import { TemplateError, fail } from './error.ts'
import { bind } from './parameters.ts'
import { iterate, str, toInteger } from './python.ts'
import { Namespace, Scope } from './scope.ts'
import { strftime } from './strftime.ts'
import { Callable, Dict, Instance, range } from './values.ts'
import type { Arguments, Value } from './values.ts'

/** As in Jinja's sandbox. */
const MAX_RANGE = 100_000

function rangeOf(args: Arguments): Value {
  const [first, second, third = 1n] = bind('range', 'start stop? step?', args)
  const [start, stop] = (second === undefined ? [0n, first!] : [first!, second]).map(toInteger) as [number, number]
  const step = toInteger(third)
  if (step === 0) fail('range() arg 3 must not be zero')
  if ((stop - start) / step > MAX_RANGE)
    fail(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`)
  return range(start, stop, step)
}

function dict({ positional, named }: Arguments): Dict {
  const [given = new Dict()] = positional
  const pairs = given instanceof Dict ? given.entries() : iterate(given).map((pair) => iterate(pair))
  const entries = Array.from(pairs, ([key, value]) => [key ?? null, value ?? null] as const)
  return new Dict([...entries, ...named])
}

function namespace(args: Arguments): Namespace {
  const made = new Namespace()
  for (const [name, value] of dict(args).entries()) made.set(str(name), value)
  return made
}

/** `cycler(…)`: `next()` gives its values in turns. */
class Cycler extends Instance {
  readonly typeName = 'Cycler'
  readonly #values: readonly Value[]
  #at = 0

  constructor(values: readonly Value[]) {
    super()
    if (values.length === 0) fail('at least one item has to be provided')
    this.#values = values
  }

  attribute(name: string): Value | undefined {
    if (name === 'current') return this.#values[this.#at % this.#values.length]!
    if (name === 'next') return new Callable(name, () => this.#values[this.#at++ % this.#values.length]!)
    return name === 'reset' ? new Callable(name, () => ((this.#at = 0), null)) : undefined
  }

  repr(): string {
    return '<Cycler>'
  }
}

/** `joiner(sep)`: nothing the first time it is called, then the separator. */
function joiner(args: Arguments): Value {
  const [separator = ', '] = bind('joiner', 'sep?', args)
  let isUsed = false
  return new Callable('joiner', () => {
    const text = isUsed ? separator : ''
    isUsed = true
    return text
  })
}

function raise(args: Arguments): never {
  throw new TemplateError(str(bind('raise_exception', 'message', args)[0]!))
}

const functions: Readonly<Record<string, (args: Arguments) => Value>> = {
  cycler: ({ positional }) => new Cycler(positional),
  dict,
  joiner,
  namespace,
  raise_exception: raise,
  range: rangeOf,
  strftime_now: (args) => strftime(new Date(), str(bind('strftime_now', 'format', args)[0]!)),
}

export const globals = new Scope()
for (const [name, call] of Object.entries(functions)) globals.set(name, new Callable(name, call))
