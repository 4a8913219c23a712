/** Python's `str.format`. */
import { withinSize } from './budget.ts'
import { fail } from './error.ts'
import { converted, formatValue } from './format.ts'
import { repr, str } from './python.ts'
import type { Arguments, Value } from './values.ts'

const field = /\{\{|\}\}|\{([^{}!:]*)(?:!([rsa]))?(?::((?:[^{}]|\{[^{}]*\})*))?\}|[{}]/g

/** How a template reads what belongs to a value: `value.name` and `value[key]`. */
export interface Access {
  attribute: (value: Value, name: string) => Value
  item: (value: Value, key: Value) => Value
}

/** `{}`, `{0}`, `{name.attribute[key]!r:spec}`, and doubled braces. @param write what a field is made of */
export function formatText(format: string, args: Arguments, access: Access, write = formatValue): string {
  let next = 0
  const value = (path: string): Value => {
    const [name = '', ...steps] = path.split(/(?=[.[])/)
    const start = argument(name === '' ? String(next++) : name, args)
    return steps.reduce((owner, step) => member(owner, step, access), start)
  }
  const replaced = (whole: string, path?: string, conversion?: string, spec = ''): string => {
    if (whole === '{{' || whole === '}}') return whole[0]!
    if (path === undefined) return fail(`Single '${whole}' encountered in format string`)
    const given = value(path)
    const filled = spec.replace(/\{([^{}]*)\}/g, (_, inner: string) => str(value(inner)))
    return write(conversion === undefined ? given : converted(given, conversion), filled)
  }
  return format.replace(field, withinSize(replaced))
}

function argument(name: string, { positional, named }: Arguments): Value {
  const value = /^\d+$/.test(name) ? positional[Number(name)] : named.get(name)
  return value === undefined ? fail(`format has no argument ${repr(name)}`) : value
}

function member(owner: Value, step: string, { attribute, item }: Access): Value {
  if (step.startsWith('.')) return attribute(owner, step.slice(1))
  const key = step.slice(1, -1)
  return item(owner, /^\d+$/.test(key) ? BigInt(key) : key)
}
