import type { Step } from './stored.ts'

interface Steps {
  normalizer?: Step | null | undefined
  pre_tokenizer?: Step | null | undefined
}

/** The same tokenizer.json without the space that it puts before a text: for text that continues another. */
export function withoutSpaceBefore<T extends Steps>(stored: T): T {
  const { normalizer, pre_tokenizer: split } = stored
  return { ...stored, normalizer: normalizer && withoutPrepend(normalizer), pre_tokenizer: split && neverFirst(split) }
}

function withoutPrepend(step: Step): Step {
  const steps = step.normalizers ?? [step]
  return { type: 'Sequence', normalizers: steps.filter(({ type }) => type !== 'Prepend') }
}

function neverFirst(step: Step): Step {
  if (step.pretokenizers) return { ...step, pretokenizers: step.pretokenizers.map(neverFirst) }
  return step.type === 'Metaspace' ? { ...step, ...never } : step
}

/** "Never" in today's spelling and an older one. */
const never = { prepend_scheme: 'never', add_prefix_space: false }
