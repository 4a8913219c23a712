/** What an expression comes to. */
import type { Argument, Expression, FilterCall } from './ast.ts'
import { attribute, item } from './attributes.ts'
import { CHARACTERS_AN_ITEM, spend, spendOnText } from './budget.ts'
import { fail } from './error.ts'
import { filter } from './filters.ts'
import { arithmetic, concat, holds, sign, slice } from './operators.ts'
import { iterate, str, truth } from './python.ts'
import type { Scope } from './scope.ts'
import { test } from './tests.ts'
import { Callable, Dict, Items, Markup, Undefined, tuple, typeName, unmarked } from './values.ts'
import type { Arguments, Value } from './values.ts'

/** @throws TemplateError */
export function evaluate(expression: Expression, scope: Scope): Value {
  spend()
  const of = (part: Expression) => evaluate(part, scope)
  switch (expression.type) {
    case 'constant':
      return expression.value
    case 'name':
      return scope.get(expression.name)
    case 'list':
      return expression.items.map(of)
    case 'tuple':
      return tuple(...expression.items.map(of))
    case 'dict':
      return new Dict(expression.entries.map(([key, value]) => [of(key), of(value)] as const))
    case 'and': {
      const left = of(expression.left)
      return truth(left) ? of(expression.right) : left
    }
    case 'or': {
      const left = of(expression.left)
      return truth(left) ? left : of(expression.right)
    }
    case 'not':
      return !truth(of(expression.value))
    case 'sign':
      return sign(expression.sign, of(expression.value))
    case 'arithmetic':
      return calculated(expression, of)
    case 'concat':
      return concat(expression.items.map(of))
    case 'compare':
      return compared(expression, of)
    case 'condition':
      if (truth(of(expression.test))) return of(expression.value)
      return expression.otherwise
        ? of(expression.otherwise)
        : new Undefined('the inline if-expression evaluated to false and no else section was defined.')
    case 'attribute':
      return attribute(of(expression.object), expression.name)
    case 'item':
      return itemOf(of(expression.object), of(expression.index))
    case 'slice': {
      const bounds = [expression.start, expression.stop, expression.step].map((part) => (part ? of(part) : null))
      return spent(of(expression.object), (object) => slice(object, bounds[0]!, bounds[1]!, bounds[2]!))
    }
    case 'call':
      return call(of(expression.callee), argumentsOf(expression.args, scope))
    case 'filter':
      return filtered(of(expression.value), expression.filter, scope)
    case 'test':
      return tested(expression, scope)
    default:
      return expression satisfies never
  }
}

export function argumentsOf(given: readonly Argument[], scope: Scope): Arguments {
  const args: Arguments = { positional: [], named: new Map() }
  for (const { kind, name, value } of given) {
    const passed = evaluate(value, scope)
    if (kind === 'positional') args.positional.push(passed)
    else if (kind === 'named') args.named.set(name, passed)
    else if (kind === 'spread') args.positional.push(...iterate(passed))
    else if (passed instanceof Dict) for (const [key, entry] of passed.entries()) args.named.set(str(key), entry)
    else fail(`argument after ** must be a mapping, not ${typeName(passed)}`)
  }
  return args
}

export function call(callee: Value, args: Arguments): Value {
  if (callee instanceof Undefined) return callee.fail()
  if (!(callee instanceof Callable)) return fail(`'${typeName(callee)}' object is not callable`)
  const result = callee.call(args)
  spendOn(callee.owner, result)
  return result
}

export function filtered(value: Value, { name, args }: FilterCall, scope: Scope): Value {
  const apply = filter(name)
  const given = argumentsOf(args, scope)
  return spent(value, () => apply(value, given))
}

function tested({ value, test: { name, args }, negated }: Expression & { type: 'test' }, scope: Scope): boolean {
  const passes = test(name)
  return passes(evaluate(value, scope), argumentsOf(args, scope)) !== negated
}

function calculated(
  { operator, left, right }: Expression & { type: 'arithmetic' },
  of: (part: Expression) => Value,
): Value {
  const result = arithmetic(operator, of(left), of(right))
  // Texts that are joined are not copied.
  if (typeof unmarked(result) !== 'string') spendOn(null, result)
  return result
}

function compared({ first, rest }: Expression & { type: 'compare' }, of: (part: Expression) => Value): boolean {
  let left = of(first)
  for (const { operator, value } of rest) {
    const right = of(value)
    spendOn(right, null)
    if (!holds(operator, left, right)) return false
    left = right
  }
  return true
}

/** Finding a character takes going through the text: indices count code points. */
function itemOf(object: Value, index: Value): Value {
  spendOnText(typeof object === 'string' ? object.length : object instanceof Markup ? object.text.length : 0)
  return item(object, index)
}

/** What `use` makes of a value, with the work it took. */
function spent(value: Value, use: (value: Value) => Value): Value {
  const result = use(value)
  spendOn(value, result)
  return result
}

/** Puts down what was read and what was made. */
function spendOn(read: Value, made: Value): void {
  spendOnText(sizeOf(read) + sizeOf(made) * (typeof unmarked(made) === 'string' ? 1 : CHARACTERS_AN_ITEM))
}

function sizeOf(value: Value): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  if (value instanceof Markup) return value.text.length
  return value instanceof Dict || value instanceof Items ? value.size : 0
}
