// Marks the lines that a program just changed in the text, so that the eye finds what a form field did.
import { StateEffect, StateField, type Extension } from '@codemirror/state'
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view'

const mark = Decoration.line({ class: 'cm-changed' })
export const setChangedLines = StateEffect.define<readonly number[]>()

export const changedLines: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes)
    for (const effect of transaction.effects) {
      if (!effect.is(setChangedLines)) continue
      const lines = effect.value.filter((line) => line >= 1 && line <= transaction.state.doc.lines)
      next = Decoration.set(lines.map((line) => mark.range(transaction.state.doc.line(line).from)))
    }
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})

/** Line numbers (from 1) of `after` that are not in `before` at their place: common head and tail are cut off, the middle compared as a longest common subsequence. */
export function changedLineNumbers(before: string, after: string): number[] {
  const old = before.split('\n')
  const now = after.split('\n')
  let head = 0
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1
  let tail = 0
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  )
    tail += 1
  const a = old.slice(head, old.length - tail)
  const b = now.slice(head, now.length - tail)
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i]
    if (row === undefined) continue
    for (let j = b.length - 1; j >= 0; j -= 1)
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const changed: number[] = []
  let i = 0
  for (let j = 0; j < b.length; j += 1) {
    while (i < a.length && a[i] !== b[j] && at(i + 1, j) >= at(i, j + 1)) i += 1
    if (i < a.length && a[i] === b[j]) i += 1
    else changed.push(head + j + 1)
  }
  return changed
}
