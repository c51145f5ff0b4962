// Columns and cell formats that several kinds share; texts as `kubectl get` prints them.
import type { Container, LabelSelector } from '../../common/api/generated/types.ts'
import { formatAge } from '../../common/machinery/duration.ts'
import { formatLabelSelector } from '../../common/machinery/labels.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import type { Column } from './kind.ts'

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  cell: (object) => object.metadata.name ?? '',
}

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'How long ago the object was created.',
  cell: (object, now) => formatAge(object.metadata.creationTimestamp, now),
}

/** What kinds without own columns show: the creation time itself, which kubectl formats. */
export const createdAtColumn: Column = {
  name: 'Created At',
  type: 'date',
  description: 'When the object was created.',
  cell: (object) => object.metadata.creationTimestamp ?? null,
}

export const defaultColumns: readonly Column[] = [nameColumn, createdAtColumn]

/** "a=1,b=2" in key order, or "<none>". */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const text = Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  return text === '' ? '<none>' : text
}

/** The selector in the string form that the scale subresource reports; "" when absent, empty or malformed. */
export function selectorText(selector: LabelSelector | undefined): string {
  const text = selectorCell(selector)
  return text === '<none>' || text === '<error>' ? '' : text
}

/** As `kubectl get -o wide` shows a label selector; a stored selector may be malformed. */
export function selectorCell(selector: LabelSelector | undefined): string {
  try {
    return formatLabelSelector(selector)
  } catch {
    return '<error>'
  }
}

/** The first three of a list, and how many more there are. */
export function firstThree(items: readonly string[], total = items.length): string {
  const text = items.slice(0, 3).join(',')
  return total > 3 ? `${text} + ${String(total - 3)} more...` : text
}

/** The wide columns of everything that has a pod template. */
export function containerColumns<T extends KubeObject>(
  containersOf: (object: T) => readonly Container[] | undefined,
): readonly Column<T>[] {
  return [
    {
      name: 'Containers',
      type: 'string',
      priority: 1,
      description: 'Names of each container in the template.',
      cell: (object) => (containersOf(object) ?? []).map((container) => container.name).join(','),
    },
    {
      name: 'Images',
      type: 'string',
      priority: 1,
      description: 'Images referenced by each container in the template.',
      cell: (object) => (containersOf(object) ?? []).map((container) => container.image ?? '').join(','),
    },
  ]
}

export function selectorColumn<T extends KubeObject>(selectorOf: (object: T) => LabelSelector | undefined): Column<T> {
  return { name: 'Selector', type: 'string', priority: 1, cell: (object) => selectorCell(selectorOf(object)) }
}
