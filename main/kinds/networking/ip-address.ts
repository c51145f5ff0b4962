// IPAddress: an address of a service range and whose it is. Named after the address; written together with its Service.
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkCanonicalAddress } from '../validation/ip.ts'
import { checkName, isDnsSubdomain, isPathSegment } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'

export const ipAddress = defineKind('networking.k8s.io/v1/ipaddresses', {
  shortNames: ['ip'],
  nameRule: 'any',
  tracksGeneration: false,
  returnsDeletedObject: true,
  validate: ({ metadata, spec }, _context, old) => {
    const errors: FieldError[] = []
    checkCanonicalAddress(errors, 'metadata.name', metadata.name ?? '')
    if (old !== undefined) return errors
    const path = 'spec.parentRef'
    const parent = spec?.parentRef
    if (parent === undefined) return [...errors, required(path)]
    const { group = '', resource = '', name = '', namespace = '' } = parent
    if (group !== '') checkName(errors, `${path}.group`, group, isDnsSubdomain)
    if (resource === '') errors.push(required(`${path}.resource`))
    else checkName(errors, `${path}.resource`, resource, isPathSegment)
    if (name === '') errors.push(required(`${path}.name`))
    else checkName(errors, `${path}.name`, name, isPathSegment)
    if (namespace !== '') checkName(errors, `${path}.namespace`, namespace, isPathSegment)
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'spec.parentRef', object.spec?.parentRef, old.spec?.parentRef)
      return errors
    },
  },
  columns: [
    nameColumn,
    {
      name: 'ParentRef',
      type: 'string',
      cell: ({ spec }) => {
        const parent = spec?.parentRef
        if (parent === undefined) return '<none>'
        const { group, resource, namespace, name } = parent
        const owner = `${resource}${group ? `.${group}` : ''}`.toLowerCase()
        return [owner, ...(namespace ? [namespace] : []), name].join('/')
      },
    },
  ],
})
