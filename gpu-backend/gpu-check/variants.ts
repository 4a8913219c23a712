import type { Precision } from '../src/graph/index.ts'
import type { Device } from '../src/onnxruntime/index.ts'

/** A precision that is checked, and how far its logits may be from those of fp32 on the CPU. */
export interface Variant {
  precision: Partial<Precision>
  name: string
  /** Most that a logit may differ by. Those of the shipped target go up to 25. */
  difference: number
  /** Least share of places, over all forwards, whose most probable token is the same. */
  agreement: number
}

/*
 * About four times what was measured on a CPU: 0.017 in fp16 with activations of that type, 0.12 in bf16 with every node's
 * result rounded to it, 0.2 in int8, 1.5 in int4. A mistake of the graph or of a kernel moves logits by their own size.
 */
const all: Variant[] = [
  { name: 'fp32', precision: { weights: 'fp32' }, difference: 0.01, agreement: 0.99 },
  { name: 'fp16', precision: { weights: 'fp16' }, difference: 0.07, agreement: 0.97 },
  { name: 'bf16', precision: { weights: 'bf16' }, difference: 0.5, agreement: 0.93 },
  { name: 'int8', precision: { weights: 'int8' }, difference: 0.8, agreement: 0.93 },
  { name: 'int4', precision: { weights: 'int4' }, difference: 5, agreement: 0.7 },
]

/** On a CPU the weights' type does not change the activations', so that of CUDA is tried as well. */
export function variants(device: Device): Variant[] {
  if (device === 'cuda') return all
  const half = all.find(({ name }) => name === 'fp16')!
  return [...all, { ...half, name: 'fp16, activations too', precision: { weights: 'fp16', activations: 'float16' } }]
}
