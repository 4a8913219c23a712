/** How a run is written. Apart from the events: clients, which read those, need no validator of it. */
import * as v from 'valibot'

export const modes = ['ar', 'sd', 'lr', 'lr+sd', 'auto'] as const
export const Mode = v.picklist(modes)
/**
 * - `ar`: plain decoding
 * - `sd`: token speculation only
 * - `lr`: steps only, every target token decoded, as in the paper
 * - `lr+sd`: both; drafted steps are reused as token guesses
 * - `auto`: `lr+sd` as far ahead as measured acceptance and cost make it pay, and `sd` where it does not
 */
export type Mode = v.InferOutput<typeof Mode>
