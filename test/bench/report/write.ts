import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Report } from './report.ts'

/** @returns the Markdown file's path */
export async function writeReport(folder: string, name: string, { markdown, figures }: Report): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const [figure, svg] of Object.entries(figures)) await writeFile(path.join(folder, figure), svg)
  const file = path.join(folder, `${name}.md`)
  await writeFile(file, markdown)
  return file
}
