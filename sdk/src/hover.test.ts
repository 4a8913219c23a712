/** What an editor shows of the request that an app writes. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { API } from 'typescript/unstable/sync'
import type { Checker, Type } from 'typescript/unstable/sync'
import { expect, onTestFinished, test } from 'vitest'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Every option of a type, by its path, with the words that stand where it is declared. */
function* options(checker: Checker, type: Type, path = ''): Generator<[path: string, words: string]> {
  if (type.isUnionType() || type.isIntersectionType())
    for (const part of type.getTypes()!) yield* options(checker, part, path)
  else if (checker.isArrayLikeType(type))
    for (const item of checker.getTypeArguments(type as never)) yield* options(checker, item, path)
  else if (type.isObjectType())
    for (const property of checker.getPropertiesOfType(type)) {
      const name = `${path}.${property.name}`
      yield [name, checker.getDocumentationCommentOfSymbol(property)]
      yield* options(checker, checker.getTypeOfSymbol(property)!, name)
    }
}

test('every option of a request says what it does', () => {
  const api = new API({ cwd: at('..') })
  onTestFinished(() => api.close())
  const { checker } = api.updateSnapshot({ openProjects: [at('../tsconfig.json')] }).getProject(at('../tsconfig.json'))!
  const file = at('protocol/run-request.ts')
  const name = checker.getSymbolAtPosition(file, readFileSync(file, 'utf8').indexOf('RunRequestInput'))!
  const words = new Map<string, string>()
  // In one member of a union a field may be forbidden, without a word.
  for (const [path, said] of options(checker, checker.getDeclaredTypeOfSymbol(name)))
    words.set(path, words.get(path) || said)
  expect([...words.keys()]).toContain('.lookahead.steps.answer.max_tokens')
  expect([...words].filter(([, said]) => said === '').map(([path]) => path)).toEqual([])
})
