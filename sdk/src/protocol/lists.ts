/** Lists that may be long: what is wrong with one is found without going through it item by item in a schema. */
import * as v from 'valibot'

/** An array whose length is looked at before its items. */
export const list = <Item extends v.GenericSchema>(most: number, item: Item) =>
  v.pipe(
    // Of the type of what it takes: whoever fills it in is told.
    v.unknown() as v.GenericSchema<v.InferInput<Item>[]>,
    v.check((given) => !Array.isArray(given) || given.length <= most, `has more than ${most} entries`),
    v.array(item),
  )

/** Far more than any context has. */
const MOST_TOKENS = 2 ** 20

/** Token ids. A schema for each of a million would take seconds. */
export const TokenIds = v.pipe(
  v.unknown(),
  v.check((given) => !Array.isArray(given) || given.length <= MOST_TOKENS, `has more than ${MOST_TOKENS} entries`),
  v.custom<number[]>((given) => Array.isArray(given) && given.every(isTokenId), 'must be a list of token ids'),
)

const isTokenId = (given: unknown): boolean => Number.isInteger(given) && (given as number) >= 0
