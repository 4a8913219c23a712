import { expect, test } from 'vitest'
import { TokenTree } from './token-tree.ts'

test('kept of a tree are its context and the chain, or else what the only leaf has written', () => {
  const tree = new TokenTree()
  const leaf = { tokens: [3, 4], slots: [12, 13], prefix: 0 }
  tree.leaves.add(leaf)
  expect(tree.path).toEqual([tree.context, leaf])
  tree.chain.tokens = [5]
  expect(tree.path).toEqual([tree.context, tree.chain])
})
