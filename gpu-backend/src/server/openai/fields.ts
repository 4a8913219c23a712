/** What the fields of requests are made of. `null` is as good as leaving one out. */
import * as v from 'valibot'

export const int = v.pipe(v.number(), v.integer())
export const count = v.pipe(int, v.minValue(0))
export const positive = v.pipe(int, v.minValue(1))
export const between = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most))
export const flag = (fallback: boolean) => v.nullish(v.boolean(), fallback)
export const maybe = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  )

/** A field that must be left out, or say nothing. */
export const refused = (why: string) =>
  v.optional(
    v.pipe(
      v.unknown(),
      v.check((value) => saysNothing(value), `is not supported: ${why}`),
    ),
  )
export const saysNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0)
