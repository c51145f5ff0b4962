// ResourceQuota: how much a namespace may use in all.
import type { Quantity, ResourceQuota, ResourceQuotaSpec } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { canonicalQuantity, isQuantity } from '../../../common/machinery/quantity.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkResourceQuantity } from '../validation/quantity.ts'
import { checkQuotaResourceName } from '../validation/resource-names.ts'

const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]

export const resourceQuota = defineKind('v1/resourcequotas', {
  returnsDeletedObject: true,
  shortNames: ['quota'],
  tracksGeneration: false,
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.spec ??= {}
    object.status ??= {}
  },
  validate: ({ spec = {} }) => {
    const errors: FieldError[] = []
    checkQuantities(errors, 'spec.hard', spec.hard)
    checkScopes(errors, spec)
    return errors
  },
  update: mainDoor(({ spec }, { spec: old }) => {
    const [now, before] = [spec?.scopes ?? [], old?.scopes ?? []].map((list) => [...new Set(list)].sort().join())
    return now === before ? [] : [invalidValue('spec.scopes', spec?.scopes ?? [], 'field is immutable')]
  }),
  status: statusDoor({
    validate: ({ status = {} }) => {
      const errors: FieldError[] = []
      checkQuantities(errors, 'status.hard', status.hard)
      checkQuantities(errors, 'status.used', status.used)
      return errors
    },
  }),
  columns: [
    nameColumn,
    { name: 'Request', type: 'string', cell: (object) => usage(object, (name) => !name.startsWith('limits.')) },
    { name: 'Limit', type: 'string', cell: (object) => usage(object, (name) => name.startsWith('limits.')) },
    ageColumn,
  ],
})

function usage({ status }: ResourceQuota, selects: (name: string) => boolean): string {
  const show = (quantity: Quantity | undefined): string =>
    quantity !== undefined && isQuantity(quantity) ? canonicalQuantity(quantity) : '0'
  return Object.keys(status?.hard ?? {})
    .filter(selects)
    .sort()
    .map((name) => `${name}: ${show(status?.used?.[name])}/${show(status?.hard?.[name])}`)
    .join(', ')
}

function checkQuantities(
  errors: FieldError[],
  path: string,
  quantities: Readonly<Record<string, Quantity>> = {},
): void {
  for (const [name, quantity] of Object.entries(quantities)) {
    const at = `${path}[${name}]`
    checkQuotaResourceName(errors, at, name)
    checkResourceQuantity(errors, at, name, quantity)
  }
}

/** Pod scopes make sense only for what pods use. */
const podResources = /^(pods|((requests|limits)\.)?(cpu|memory))$/

function scopeFits(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods'
  if (scope === 'VolumeAttributesClass') return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
  return podResources.test(resource)
}

function checkScopes(errors: FieldError[], { scopes: list = [], scopeSelector, hard = {} }: ResourceQuotaSpec): void {
  const resources = Object.keys(hard)
    .filter((name) => !name.includes('/'))
    .sort()
  for (const scope of list) {
    if (!scopes.includes(scope)) errors.push(invalidValue('spec.scopes', list, 'unsupported scope'))
    for (const resource of resources) {
      if (!scopeFits(scope, resource))
        errors.push(invalidValue('spec.scopes', list, 'unsupported scope applied to resource'))
    }
  }
  checkConflicts(errors, list, list)
  const path = 'spec.scopeSelector.matchExpressions'
  const expressions = scopeSelector?.matchExpressions ?? []
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopes.includes(scopeName)) errors.push(invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope'))
    for (const resource of resources) {
      if (!scopeFits(scopeName, resource))
        errors.push(invalidValue(path, scopeSelector, 'unsupported scope applied to resource'))
    }
    if (scopeName !== 'PriorityClass' && scopeName !== 'VolumeAttributesClass' && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
      errors.push(invalidValue(`${path}.operator`, operator, detail))
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(
          required(
            `${path}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        )
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        errors.push(invalidValue(`${path}.values`, values, detail))
      }
    } else {
      errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
    }
  }
  checkConflicts(
    errors,
    expressions.map((expression) => expression.scopeName),
    list,
  )
}

function checkConflicts(errors: FieldError[], names: readonly string[], shown: readonly string[]): void {
  for (const [one, other] of [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ] as const) {
    if (names.includes(one) && names.includes(other))
      errors.push(invalidValue('spec.scopes', shown, 'conflicting scopes'))
  }
}
