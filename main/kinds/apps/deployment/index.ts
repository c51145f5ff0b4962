// Deployment: keeps a number of equal pods running and replaces them step by step when the template changes.
import type { Deployment } from '../../../../common/api/generated/types.ts'
import { ageColumn, containerColumns, nameColumn, selectorColumn, selectorText } from '../../columns.ts'
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts'
import { defineKind } from '../../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../../strategy.ts'
import { checkImmutable } from '../../validation/values.ts'
import { setDeploymentDefaults } from './defaults.ts'
import { checkDeployment, checkDeploymentStatus } from './validation.ts'

export const deployment = defineKind('apps/v1/deployments', {
  shortNames: ['deploy'],
  categories: ['all'],
  prepareForCreate: dropStatus,
  setDefaults: setDeploymentDefaults,
  validate: checkDeployment,
  update: mainDoor((object, old) => {
    const errors: ReturnType<typeof checkDeployment> = []
    checkImmutable(errors, 'spec.selector', object.spec?.selector, old.spec?.selector)
    return errors
  }),
  status: statusDoor({ keepMetadata: ['labels'], validate: checkDeploymentStatus }),
  scale: {
    specReplicas: ({ spec }) => spec?.replicas ?? 1,
    setSpecReplicas: ({ spec }, replicas) => {
      if (spec !== undefined) spec.replicas = replicas
    },
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorText(spec?.selector),
  },
  warnings: (object, old) => podTemplateWarnings('spec.template', object.spec?.template, { object, old }),
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      cell: ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec?.replicas ?? 0)}`,
    },
    { name: 'Up-to-date', type: 'string', cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: 'Available', type: 'string', cell: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec?.template?.spec?.containers),
    selectorColumn<Deployment>(({ spec }) => spec?.selector),
  ],
})
