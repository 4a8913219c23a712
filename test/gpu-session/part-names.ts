export const partNames = [
  'operators',
  'parity',
  'pool',
  'speed',
  'transformers',
  'shipped',
  'models',
  'forced',
] as const
export type PartName = (typeof partNames)[number]
