// Lists and objects in the shapes kubectl asks for: Table v1 and PartialObjectMetadata.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { formatAge } from '../../../common/machinery/duration.ts'
import type { Column, RowCondition } from '../../kinds/kind.ts'
import type { ServedResource } from './served-resource.ts'
import type { StoredObject } from './stored-object.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

const defaultColumns: readonly Column[] = [
  {
    name: 'Age',
    type: 'string',
    description: 'Time since the object was created.',
    cell: (object, now) => formatAge(object.metadata.creationTimestamp, now),
  },
]
const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object.',
  cell: (object) => object.metadata.name ?? '',
}

/** A kind's own columns; most show the name first, events as a wide column at the end. */
export function columnsOf(resource: ServedResource): readonly Column[] {
  const own = resource.kind.columns ?? defaultColumns
  return own.some(({ name }) => name === 'Name') ? own : [nameColumn, ...own]
}

export interface TableOptions {
  readonly version: string
  readonly includeObject: IncludeObject
  readonly now: Date
  /** Watch events after the first carry rows only. */
  readonly withColumns: boolean
  readonly listMetadata: object
  readonly rowConditions?: (object: KubeObject) => readonly RowCondition[]
}

/** JSON text of a Table. */
export function renderTable(
  columns: readonly Column[],
  objects: readonly Pick<StoredObject, 'object' | 'text'>[],
  options: TableOptions,
): string {
  const rows = objects.map((stored) => {
    const { object } = stored
    const cells = JSON.stringify(columns.map((column) => cellOf(column, object, options.now)))
    const attached =
      options.includeObject === 'None'
        ? ''
        : options.includeObject === 'Object'
          ? `,"object":${stored.text}`
          : `,"object":${JSON.stringify(partialMetadata(object, options.version))}`
    const conditions = options.rowConditions?.(object) ?? []
    const marked = conditions.length === 0 ? '' : `,"conditions":${JSON.stringify(conditions)}`
    return `{"cells":${cells}${marked}${attached}}`
  })
  const definitions = options.withColumns
    ? JSON.stringify(
        columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
          name,
          type,
          format,
          description,
          priority,
        })),
      )
    : '[]'
  return `{"kind":"Table","apiVersion":"meta.k8s.io/${options.version}","metadata":${JSON.stringify(options.listMetadata)},"columnDefinitions":${definitions},"rows":[${rows.join(',')}]}`
}

function cellOf(column: Column, object: KubeObject, now: Date): string | number | boolean | null {
  try {
    return column.cell(object, now)
  } catch {
    // An object written before a field existed must not hide the whole list.
    return '<unknown>'
  }
}

export function partialMetadata(object: KubeObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}
