/** What a session has found so far, for people and for programs. */
import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Outcome } from './run-part.ts'

export interface Summary {
  /** Date, device and versions. */
  machine: Record<string, string>
  parts: Outcome[]
  /** Names of those that are still to be made. */
  left: string[]
}

/** Rewrites both files, so that whoever reads them at any time reads a whole one. */
export async function writeSummary(out: string, summary: Summary): Promise<void> {
  await replace(path.join(out, 'summary.json'), `${JSON.stringify(summary, undefined, 1)}\n`)
  await replace(path.join(out, 'summary.md'), markdown(summary))
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

export function markdown({ machine, parts, left }: Summary): string {
  const lines = parts.map(
    ({ name, status, reason, seconds }) =>
      `| ${name} | ${status === 'passed' ? status : `**${status}**`} | ${seconds.toFixed(1)} | ${reason ?? ''} |`,
  )
  const facts = Object.entries(machine).map(([name, value]) => `* ${name}: ${value}`)
  return [
    `# GPU session\n\n${facts.join('\n')}`,
    `| part | | s | |\n| --- | --- | --- | --- |\n${lines.join('\n')}`,
    ...(left.length > 0 ? [`Still to be made: ${left.join(', ')}.`] : []),
    ...parts.map(section),
  ].join('\n\n')
}

function section({ name, status, command, stdout, stderr }: Outcome): string {
  const said = stdout.trim().replace(/^# /, '### ').replaceAll(/^## /gm, '#### ')
  const isTable = said.startsWith('|') || said.startsWith('###')
  return [
    `## ${name}\n\n\`${command}\``,
    ...(said === '' ? [] : [isTable ? said : fenced(said)]),
    ...(status === 'passed' || stderr.trim() === '' ? [] : [`Its last words:\n\n${fenced(stderr.trim())}`]),
  ].join('\n\n')
}

const fenced = (text: string): string => `\`\`\`\`text\n${text}\n\`\`\`\``
