// The text filter of lists: every word must be somewhere; "key=value" words match labels exactly.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { TableColumn } from '../../components/table.ts'

export function filterObjects<T extends KubeObject>(
  objects: readonly T[],
  columns: readonly TableColumn<T>[],
  filter: { namespace: string; text: string },
): readonly T[] {
  const words = filter.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0 && filter.namespace === '') return objects
  return objects.filter((object) => {
    if (
      filter.namespace !== '' &&
      object.metadata.namespace !== undefined &&
      object.metadata.namespace !== filter.namespace
    )
      return false
    if (words.length === 0) return true
    const text = searchable(object, columns)
    return words.every((word) => text.includes(word) || hasLabel(object, word))
  })
}

function searchable<T extends KubeObject>(object: T, columns: readonly TableColumn<T>[]): string {
  const cells = columns.map((column) =>
    String(column.text?.(object) ?? column.state?.(object).label ?? column.badge?.(object) ?? ''),
  )
  return [object.metadata.name ?? '', ...cells].join('\n').toLowerCase()
}

function hasLabel(object: KubeObject, word: string): boolean {
  const equals = word.indexOf('=')
  if (equals < 1) return false
  return object.metadata.labels?.[word.slice(0, equals)]?.toLowerCase() === word.slice(equals + 1)
}
