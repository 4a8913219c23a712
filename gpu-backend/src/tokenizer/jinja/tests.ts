/** Jinja's tests: what stands after `is`. Source: jinja2/tests.py. */
import { isLower, isUpper } from './case.ts'
import { methods } from './collection-methods.ts'
import { filterNames } from './names.ts'
import { arithmetic, holds, isIndexed } from './operators.ts'
import { contains, equals, isIterable, str } from './python.ts'
import { fail } from './error.ts'
import { Callable, Dict, Markup, Undefined, unmarked } from './values.ts'
import type { Arguments, Value } from './values.ts'

const isString = (value: Value): value is string => typeof value === 'string'
const remainder = (value: Value, by: Value): Value => arithmetic('%', value, by)
const equal = ['other', equals] as const
const different = ['other', (value: Value, other: Value) => !equals(value, other)] as const
const order = (operator: '<' | '<=' | '>' | '>=') =>
  ['other', (value: Value, other: Value) => holds(operator, value, other)] as const

type Test = (value: Value, ...args: Value[]) => boolean

const table: Record<string, readonly [string, Test]> = {
  '!=': different,
  '<': order('<'),
  '<=': order('<='),
  '==': equal,
  '>': order('>'),
  '>=': order('>='),
  boolean: ['', (value) => typeof value === 'boolean'],
  callable: ['', (value) => value instanceof Callable],
  defined: ['', (value) => !(value instanceof Undefined)],
  divisibleby: ['num', (value, by) => equals(remainder(value, by), 0n)],
  eq: equal,
  equalto: equal,
  escaped: ['', (value) => value instanceof Markup],
  even: ['', (value) => equals(remainder(value, 2n), 0n)],
  false: ['', (value) => value === false],
  filter: ['', (value) => isString(value) && filterNames.has(value)],
  float: ['', (value) => typeof value === 'number'],
  ge: order('>='),
  greaterthan: order('>'),
  gt: order('>'),
  in: ['seq', (value, container) => contains(container, value)],
  integer: ['', (value) => typeof value === 'bigint'],
  iterable: ['', isIterable],
  le: order('<='),
  lessthan: order('<'),
  lower: ['', (value) => isLower(str(value))],
  lt: order('<'),
  mapping: ['', (value) => value instanceof Dict],
  ne: different,
  none: ['', (value) => value === null],
  number: ['', (value) => ['bigint', 'number', 'boolean'].includes(typeof value)],
  odd: ['', (value) => equals(remainder(value, 2n), 1n)],
  sameas: ['other', (value, other) => value === other],
  sequence: [
    '',
    (value) =>
      isString(value) ||
      Array.isArray(value) ||
      value instanceof Dict ||
      isIndexed(value) ||
      value instanceof Undefined,
  ],
  string: ['', isString],
  test: ['', (value) => isString(value) && tests.has(value)],
  true: ['', (value) => value === true],
  undefined: ['', (value) => value instanceof Undefined],
  upper: ['', (value) => isUpper(str(value))],
}

const tests = methods<Value>(table as Parameters<typeof methods<Value>>[0])

/** @throws TemplateError if there is none */
export function test(name: string): (value: Value, args: Arguments) => boolean {
  const passes = tests.get(name) ?? fail(`No test named '${name}'.`)
  return (value, args) => passes(name === 'escaped' ? value : unmarked(value), args) === true
}
