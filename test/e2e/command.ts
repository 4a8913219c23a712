/** The command `lookahead`, as its users call it. */
import { execFile } from 'node:child_process'

const bin = 'gpu-backend/bin/lookahead.js'
const root = new URL('../..', import.meta.url).pathname

interface Report {
  ok: boolean
  findings: { check: string; state: string; told: string; mend?: string }[]
}

export function lookahead(...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [bin, ...args], { cwd: root }, (_, stdout) =>
      resolve({ code: child.exitCode ?? 1, stdout }),
    )
  })
}

/** What `lookahead doctor` finds. */
export async function doctor(...args: string[]): Promise<Report & { code: number; of: (check: string) => unknown }> {
  const { code, stdout } = await lookahead('doctor', ...args, '--json')
  const report = JSON.parse(stdout) as Report
  const of = (check: string) => report.findings.find((finding) => finding.check === check)
  return { ...report, code, of }
}
