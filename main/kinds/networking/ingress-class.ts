// IngressClass: which controller carries out an Ingress.
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isPathSegment } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'

const maxControllerBytes = 250

export const ingressClass = defineKind('networking.k8s.io/v1/ingressclasses', {
  setDefaults: (object) => {
    object.spec ??= {}
    if (object.spec.parameters !== undefined) object.spec.parameters.scope ??= 'Cluster'
  },
  validate: ({ spec = {} }) => {
    const errors: FieldError[] = []
    const { controller = '', parameters } = spec
    if (controller === '') errors.push(required('spec.controller'))
    else {
      if (controller.length > maxControllerBytes) errors.push(tooLong('spec.controller', maxControllerBytes))
      const [domain = '', ...rest] = controller.split('/')
      if (rest.join('/') === '')
        errors.push(
          invalidValue('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'),
        )
      else checkName(errors, 'spec.controller', domain, isDnsSubdomain)
    }
    if (parameters === undefined) return errors
    const { apiGroup, kind, name, scope, namespace } = parameters
    const path = 'spec.parameters'
    if (apiGroup !== undefined) checkName(errors, `${path}.apiGroup`, apiGroup, isDnsSubdomain)
    for (const [field, value] of [
      ['kind', kind],
      ['name', name],
    ] as const) {
      if (!value) errors.push(required(`${path}.${field}`))
      else checkName(errors, `${path}.${field}`, value, isPathSegment)
    }
    if (scope !== 'Cluster' && scope !== 'Namespace')
      errors.push(notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']))
    if (scope === 'Namespace') {
      if (namespace === undefined)
        errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"))
      else checkName(errors, `${path}.namespace`, namespace, isDnsLabel)
    }
    if (scope === 'Cluster' && namespace !== undefined)
      errors.push(forbiddenField(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"))
    return errors
  },
  update: {
    validate: ({ spec }, { spec: old }) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'spec.controller', spec?.controller, old?.controller)
      return errors
    },
  },
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', cell: ({ spec }) => spec?.controller ?? '' },
    {
      name: 'Parameters',
      type: 'string',
      cell: ({ spec }) => {
        const parameters = spec?.parameters
        if (parameters === undefined) return '<none>'
        const { kind, apiGroup, name } = parameters
        return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`
      },
    },
    ageColumn,
  ],
})
