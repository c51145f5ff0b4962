// ReplicationController: the ancestor of ReplicaSet, with a plain map as selector.
import type { ReplicationController } from '../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { matchesLabels, selectorFromMap } from '../../../common/machinery/labels.ts'
import { checkCounters, checkReplicaCounts } from '../apps/workload.ts'
import { ageColumn, containerColumns, formatLabels, nameColumn } from '../columns.ts'
import { podTemplateWarnings } from './pod-spec/warnings.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkNonNegative, unsupported } from '../validation/values.ts'
import { setPodTemplateDefaults } from './pod-spec/defaults.ts'
import { checkPodTemplate } from './pod-spec/validation.ts'

export const replicationController = defineKind('v1/replicationcontrollers', {
  shortNames: ['rc'],
  categories: ['all'],
  defaultPropagation: 'Orphan',
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= { replicas: 0 }
    object.status.replicas ??= 0
    const { spec, metadata } = object
    if (spec === undefined) return
    spec.replicas ??= 1
    if (spec.template === undefined) return
    setPodTemplateDefaults(spec.template)
    const labels = spec.template.metadata?.labels
    if (labels === undefined) return
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
  },
  validate: ({ spec = {} }) => {
    const errors: FieldError[] = []
    const { selector = {}, template } = spec
    checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds)
    if (Object.keys(selector).length === 0) errors.push(required('spec.selector'))
    checkNonNegative(errors, 'spec.replicas', spec.replicas)
    if (template === undefined) return [...errors, required('spec.template')]
    const labels = template.metadata?.labels ?? {}
    if (Object.keys(selector).length > 0 && !matchesLabels(selectorFromMap(selector), labels)) {
      errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
    }
    checkPodTemplate(errors, 'spec.template', template)
    const policy = template.spec?.restartPolicy
    if (policy !== undefined && policy !== 'Always')
      errors.push(unsupported('spec.template.spec.restartPolicy', policy, ['Always']))
    if (template.spec?.activeDeadlineSeconds !== undefined) {
      const detail = 'activeDeadlineSeconds in ReplicationController is not Supported'
      errors.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', detail))
    }
    return errors
  },
  update: mainDoor(),
  status: statusDoor({
    validate: ({ status = { replicas: 0 } }) => {
      const errors: FieldError[] = []
      checkCounters(errors, status, [
        'replicas',
        'fullyLabeledReplicas',
        'readyReplicas',
        'availableReplicas',
        'observedGeneration',
      ])
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
    selector: ({ spec }) => (spec?.selector === undefined ? '' : formatLabels(spec.selector)),
  },
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  warnings: (object, old) => podTemplateWarnings('spec.template', object.spec?.template, { object, old }),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ spec }) => spec?.replicas ?? 0 },
    { name: 'Current', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec?.template?.spec?.containers),
    { name: 'Selector', type: 'string', priority: 1, cell: ({ spec }) => formatLabels(spec?.selector) },
  ],
})
