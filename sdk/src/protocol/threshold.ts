/** Apart from the verifiers' names: those are in what clients ship. */
import * as v from 'valibot'

/** How strict a verifier is that can be more or less so: above 0 and up to 1. Those that take none refuse it. */
export const Threshold = v.pipe(v.number(), v.gtValue(0), v.maxValue(1))
