/** What was found about one thing that has to be right. */
export interface Finding {
  check: string
  /** `warning`: it works, and still one should know. */
  state: 'ok' | 'warning' | 'failed'
  told: string
  /** What to do about it. */
  mend?: string
}

export const ok = (check: string, told: string): Finding => ({ check, state: 'ok', told })
export const warning = (check: string, told: string, mend: string): Finding => ({ check, state: 'warning', told, mend })
export const failed = (check: string, told: string, mend: string): Finding => ({ check, state: 'failed', told, mend })

/** Aborts what takes longer; that is a finding too. */
export const PATIENCE_MS = 20_000
