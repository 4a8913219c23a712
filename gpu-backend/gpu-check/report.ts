import type { Section } from './section.ts'

export interface Report {
  /** What ran it: device, processor, runtime. */
  machine: Record<string, string>
  sections: Section[]
}

export const failures = ({ sections }: Report) =>
  sections.flatMap(({ title, checks }) => checks.filter(({ passed }) => !passed).map((check) => ({ title, ...check })))

/** The report as Markdown: what failed first, then every section's table and checks. */
export function markdown(report: Report): string {
  const checks = report.sections.flatMap((section) => section.checks)
  const failed = failures(report)
  const summary =
    failed.length === 0
      ? `All ${checks.length} checks passed.`
      : `${failed.length} of ${checks.length} checks failed:\n\n${failed
          .map(({ title, what, seen }) => `* ${title}: ${what}${seen ? ` (seen: ${seen})` : ''}`)
          .join('\n')}`
  const machine = Object.entries(report.machine).map(([name, value]) => `* ${name}: ${value}`)
  return `# GPU check\n\n${machine.join('\n')}\n\n${summary}\n${report.sections.map(sectionText).join('')}`
}

function sectionText({ title, about, rows, checks }: Section): string {
  const marks = checks.map(
    ({ what, passed, seen }) => `* ${passed ? 'passed' : 'FAILED'}: ${what}${tail(passed, seen)}`,
  )
  return `\n## ${title}\n\n${about}\n\n${table(rows)}\n${marks.join('\n')}\n`
}

const tail = (passed: boolean, seen: string | undefined) => (seen && !passed ? ` (seen: ${seen})` : '')

function table(rows: Section['rows']): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  if (names.length === 0) return ''
  const lines = rows.map((row) => names.map((name) => shown(row[name] ?? '')))
  return [names, names.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function shown(value: string | number): string {
  if (typeof value === 'string') return value
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toPrecision(3)
}
