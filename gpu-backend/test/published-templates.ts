import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The templates of `@huggingface/ollama-utils`, each once, in its order, with the model that the first of them belongs to. */
export function published(): [name: string, template: string][] {
  const main = createRequire(import.meta.url).resolve('@huggingface/ollama-utils')
  const source = readFileSync(path.join(main, '../../src/chat-template-automap.ts'), 'utf8')
  const entries = source.matchAll(/model:\s*"([^"]*)",\s*gguf:\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g)
  const names = new Map<string, string>()
  for (const [, name, literal] of entries) {
    const template = textOf(literal!)
    if (!names.has(template)) names.set(template, name!)
  }
  return Array.from(names, ([template, name]) => [name, template])
}

function textOf(literal: string): string {
  const json = literal.startsWith('"') ? literal : literal.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')
  return JSON.parse(literal.startsWith('"') ? json : `"${json}"`) as string
}
