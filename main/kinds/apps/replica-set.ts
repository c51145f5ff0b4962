// ReplicaSet: a number of equal pods.
import type { ReplicaSet } from '../../../common/api/generated/types.ts'
import type { FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, containerColumns, nameColumn, selectorColumn, selectorText } from '../columns.ts'
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts'
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkImmutable, checkNonNegative } from '../validation/values.ts'
import { checkCounters, checkReplicaCounts, checkSelectorAndTemplate } from './workload.ts'

export const replicaSet = defineKind('apps/v1/replicasets', {
  shortNames: ['rs'],
  categories: ['all'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= { replicas: 0 }
    object.status.replicas ??= 0
    const { spec } = object
    if (spec === undefined) return
    spec.replicas ??= 1
    if (spec.template !== undefined) setPodTemplateDefaults(spec.template)
  },
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    checkNonNegative(errors, 'spec.replicas', spec?.replicas)
    checkNonNegative(errors, 'spec.minReadySeconds', spec?.minReadySeconds)
    checkSelectorAndTemplate(errors, spec?.selector, spec?.template, {
      resource: 'deployment',
      templateOf: 'ReplicaSet',
    })
    return errors
  },
  update: mainDoor((object, old) => {
    const errors: FieldError[] = []
    checkImmutable(errors, 'spec.selector', object.spec?.selector, old.spec?.selector)
    return errors
  }),
  status: statusDoor({
    validate: ({ status = { replicas: 0 } }) => {
      const errors: FieldError[] = []
      const counters = [
        'replicas',
        'fullyLabeledReplicas',
        'readyReplicas',
        'availableReplicas',
        'observedGeneration',
        'terminatingReplicas',
      ]
      checkCounters(errors, status, counters)
      checkReplicaCounts(errors, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'])
      return errors
    },
  }),
  scale: {
    specReplicas: ({ spec }) => spec?.replicas ?? 1,
    setSpecReplicas: ({ spec }, replicas) => {
      if (spec !== undefined) spec.replicas = replicas
    },
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorText(spec?.selector),
  },
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  warnings: (object, old) => podTemplateWarnings('spec.template', object.spec?.template, { object, old }),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ spec }) => spec?.replicas ?? 0 },
    { name: 'Current', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec?.template?.spec?.containers),
    selectorColumn<ReplicaSet>(({ spec }) => spec?.selector),
  ],
})
