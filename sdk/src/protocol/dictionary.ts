import * as v from 'valibot'

/**
 * An object whose keys are anybody's words, as a Map. `v.record` and `v.looseObject` leave out the keys `constructor`,
 * `prototype` and `__proto__`, and in an object every word that its prototype knows is found.
 */
export const dictionary = <Value extends v.GenericSchema>(
  value: Value,
  key: v.GenericSchema<string, string> = v.string(),
) =>
  v.pipe(
    v.custom<object>(
      (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
      'must be an object',
    ),
    v.transform((given) => new Map<string, unknown>(Object.entries(given))),
    v.map(key, value),
  )
