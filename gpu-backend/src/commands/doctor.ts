import { examine } from '../doctor/examine.ts'
import type { Finding } from '../doctor/finding.ts'

const marks = { ok: '✓', warning: '!', failed: '✗' }

/** Exits with 1 where anything has failed. */
export async function run(
  url: string,
  { key, json }: { key?: string | undefined; json?: true | undefined },
): Promise<void> {
  const findings: Finding[] = []
  for await (const finding of examine(url.replace(/\/+$/, ''), key)) {
    findings.push(finding)
    if (json) continue
    console.log(`${marks[finding.state]} ${finding.check.padEnd(11)}${finding.told}`)
    if (finding.mend !== undefined) console.log(`${' '.repeat(13)}→ ${finding.mend}`)
  }
  const isWell = findings.every(({ state }) => state !== 'failed')
  if (json) console.log(JSON.stringify({ url, ok: isWell, findings }))
  if (!isWell) process.exitCode = 1
}
