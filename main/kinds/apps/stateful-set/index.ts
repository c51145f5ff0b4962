// StatefulSet: pods with an identity of their own, started and replaced in order.
import type { StatefulSet } from '../../../../common/api/generated/types.ts'
import type { FieldError } from '../../../../common/machinery/field-error.ts'
import { ageColumn, containerColumns, nameColumn, selectorText } from '../../columns.ts'
import { setPodTemplateDefaults } from '../../core/pod-spec/defaults.ts'
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts'
import { defineKind } from '../../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../../strategy.ts'
import { checkCollisionCount, checkCounters, checkReplicaCounts } from '../workload.ts'
import { checkStatefulSet, checkStatefulSetUpdate } from './validation.ts'

export const statefulSet = defineKind('apps/v1/statefulsets', {
  shortNames: ['sts'],
  categories: ['all'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= { replicas: 0 }
    object.status.replicas ??= 0
    object.status.availableReplicas ??= 0
    const { spec } = object
    if (spec === undefined) return
    spec.podManagementPolicy ||= 'OrderedReady'
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.partition ??= 0
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {}
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    if (spec.template !== undefined) setPodTemplateDefaults(spec.template)
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = 'v1'
      claim.kind = 'PersistentVolumeClaim'
      claim.spec ??= {}
      claim.spec.volumeMode ??= 'Filesystem'
      claim.status ??= {}
      claim.status.phase ||= 'Pending'
    }
  },
  validate: checkStatefulSet,
  update: mainDoor(checkStatefulSetUpdate),
  status: statusDoor({
    validate: ({ status = { replicas: 0 } }, old) => {
      const errors: FieldError[] = []
      checkCounters(errors, status, [
        'replicas',
        'readyReplicas',
        'currentReplicas',
        'updatedReplicas',
        'availableReplicas',
        'observedGeneration',
      ])
      checkCollisionCount(errors, status.collisionCount, old.status?.collisionCount)
      checkReplicaCounts(errors, status, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'])
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
  warnings: (object, old) => [
    ...podTemplateWarnings('spec.template', object.spec?.template, { object, old }),
    ...((object.spec?.revisionHistoryLimit ?? 0) < 0
      ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
      : []),
  ],
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      cell: ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec?.replicas ?? 0)}`,
    },
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template?.spec?.containers),
  ],
})
