import { expect, it } from 'vitest'
import { changedLineNumbers } from './changed-lines.ts'

it.each([
  ['a\nb\nc', 'a\nx\nc', [2]],
  ['a\nb', 'a\nn\nm\nb', [2, 3]],
  ['a\nb\nc', 'a\nc', []],
  ['a', 'a', []],
  ['a\nb\nc\nd', 'z\na\nc\ny\nd', [1, 4]],
])('finds changed lines', (before, after, expected) => {
  expect(changedLineNumbers(before, after)).toEqual(expected)
})
