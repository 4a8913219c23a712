/** The methods of Python's lists and dicts that change nothing. */
import { fail } from './error.ts'
import { bind } from './parameters.ts'
import { equals, repr } from './python.ts'
import { Dict, Items, tuple, unmarked } from './values.ts'
import type { Arguments, Value } from './values.ts'

export type Method<Self> = (self: Self, args: Arguments) => Value

/** Methods by name; each with its parameters, and what it does with the arguments. */
export function methods<Self>(
  table: Readonly<Record<string, readonly [string, (self: Self, ...args: (Value | undefined)[]) => Value]>>,
): ReadonlyMap<string, Method<Self>> {
  return new Map(
    Object.entries(table).map(([name, [parameters, call]]) => [
      name,
      (self, args) => call(self, ...bind(name, parameters, args).map((arg) => arg && unmarked(arg))),
    ]),
  )
}

/** Of lists, tuples and ranges. */
export const sequenceMethods = methods<readonly Value[]>({
  count: ['value', (self, value) => BigInt(self.filter((item) => equals(item, value!)).length)],
  index: [
    'value',
    (self, value) => {
      const at = self.findIndex((item) => equals(item, value!))
      return at < 0 ? fail(`${repr(value!)} is not in list`) : BigInt(at)
    },
  ],
})

export const listMethods = new Map([
  ...sequenceMethods,
  ...methods<readonly Value[]>({ copy: ['', (self) => [...self]] }),
])

export const dictMethods = methods<Dict>({
  copy: ['', (self) => new Dict(self.entries())],
  get: [
    'key default?',
    (self, key, otherwise = null) => {
      const value = self.get(key!)
      return value === undefined ? otherwise : value
    },
  ],
  items: [
    '',
    (self) =>
      new Items(
        'dict_items',
        Array.from(self.entries(), ([key, value]) => tuple(key, value)),
      ),
  ],
  keys: ['', (self) => new Items('dict_keys', self.keys())],
  values: ['', (self) => new Items('dict_values', self.values())],
})
