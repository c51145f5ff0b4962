// Image: an OCI image that the lab's registry can serve to every node.
import { labGroup, labVersion, type Image } from '../../../common/api/lab/v1alpha1.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { formatQuantity, parseQuantity } from '../../../common/machinery/quantity.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineOwnKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkImmutable } from '../validation/values.ts'
import { labDefinitions, labSchemaName } from './schema.ts'

/** host[:port]/path[:tag][@digest] */
const reference = /^([a-z0-9.-]+(:\d+)?\/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/

export const image = defineOwnKind<Image>({
  group: labGroup,
  version: labVersion,
  kind: 'Image',
  plural: 'images',
  singular: 'image',
  scope: 'Cluster',
  schema: { root: labSchemaName('Image'), definitions: labDefinitions },
  shortNames: ['img'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= {}
  },
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    const text = spec?.reference ?? ''
    if (text === '')
      errors.push(required('spec.reference', 'the image reference, for example "docker.io/library/hello:1.0"'))
    else if (!reference.test(text)) {
      errors.push(
        invalidValue('spec.reference', text, 'must be an image reference, for example "docker.io/library/hello:1.0"'),
      )
    }
    return errors
  },
  update: mainDoor(({ spec }, { spec: old }) => {
    const errors: FieldError[] = []
    checkImmutable(errors, 'spec.reference', spec?.reference, old?.reference)
    return errors
  }),
  status: statusDoor(),
  columns: [
    nameColumn,
    { name: 'Reference', type: 'string', cell: ({ spec }) => spec?.reference ?? '' },
    {
      name: 'Platforms',
      type: 'string',
      cell: ({ status }) =>
        (status?.platforms ?? [])
          .map(({ os, architecture, variant }) => [os, architecture, ...(variant ? [variant] : [])].join('/'))
          .join(',') || '<none>',
    },
    {
      name: 'Size',
      type: 'string',
      cell: ({ status }) => {
        const bytes = status?.sizeBytes
        if (bytes === undefined) return ''
        return bytes < 1_048_576
          ? formatQuantity(parseQuantity(`${String(Math.ceil(bytes / 1024))}Ki`))
          : `${String(Math.round(bytes / 1_048_576))}Mi`
      },
    },
    ageColumn,
    { name: 'Source', type: 'string', priority: 1, cell: ({ status }) => status?.source ?? '' },
    { name: 'Digest', type: 'string', priority: 1, cell: ({ status }) => status?.digest ?? '' },
  ],
})
