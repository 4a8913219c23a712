/** How arguments find their parameters. */
import { fail } from './error.ts'
import type { Arguments, Value } from './values.ts'

/**
 * The arguments in the order of the parameters; those left out are undefined.
 * @param names Separated by spaces; those that end with `?` may be left out.
 * @throws TemplateError as Python's TypeError
 */
export function bind(callee: string, names: string, { positional, named }: Arguments): (Value | undefined)[] {
  const parameters = names === '' ? [] : names.split(' ')
  if (positional.length > parameters.length)
    fail(`${callee}() takes at most ${parameters.length} arguments (${positional.length} given)`)
  const bound: (Value | undefined)[] = [...positional]
  const left = new Map(named)
  for (const [i, parameter] of parameters.entries()) {
    const name = parameter.replace('?', '')
    if (left.has(name)) {
      if (i < positional.length) fail(`${callee}() got multiple values for argument '${name}'`)
      bound[i] = left.get(name)
      left.delete(name)
    } else if (i >= positional.length && !parameter.endsWith('?')) fail(`${callee}() is missing the argument '${name}'`)
  }
  for (const name of left.keys()) fail(`${callee}() got an unexpected keyword argument '${name}'`)
  return bound
}
