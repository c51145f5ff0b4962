// Pod: containers that share a network and live and die together on one node.
import type { Pod } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { defineKind, type RowCondition } from '../../kind.ts'
import { dropUndefined, mainDoor, restore, statusDoor } from '../../strategy.ts'
import { semanticEqual } from '../../equality.ts'
import { checkPodAnnotations, checkPodSpec } from '../pod-spec/validation.ts'
import { podColumns } from './columns.ts'
import { setPodDefaults } from './defaults.ts'
import { podWarnings } from '../pod-spec/warnings.ts'
import { qosClass } from './qos.ts'
import { checkResize, keepAllButResources } from './resize.ts'
import { checkPodStatusUpdate } from './status-update.ts'
import { checkPodUpdate } from './update.ts'

const completed = (reason: string, message: string): readonly RowCondition[] => [
  { type: 'Completed', status: 'True', reason, message },
]
const ended: Readonly<Record<string, readonly RowCondition[]>> = {
  Succeeded: completed('Succeeded', 'The pod has completed successfully.'),
  Failed: completed('Failed', 'The pod failed.'),
}

export const pod = defineKind('v1/pods', {
  returnsDeletedObject: true,
  shortNames: ['po'],
  categories: ['all'],
  prepareForCreate: (object) => {
    object.status = { phase: 'Pending' }
    const gated = (object.spec?.schedulingGates ?? []).length > 0
    if (gated) {
      object.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ]
    }
  },
  setDefaults: (object) => {
    setPodDefaults(object)
    // From the requests as they are after defaulting; never changes afterwards.
    if (object.spec !== undefined && object.status !== undefined) object.status.qosClass ??= qosClass(object.spec)
  },
  validate,
  update: mainDoor(checkPodUpdate),
  status: {
    ...statusDoor<Pod>({ keepMetadata: ['ownerReferences'], validate: checkPodStatusUpdate }),
  },
  subresources: {
    ephemeralcontainers: {
      door: 'update',
      strategy: {
        prepare: (object, old) => {
          const ephemeralContainers = object.spec?.ephemeralContainers
          restore(object, old, 'spec')
          restore(object, old, 'status')
          if (object.spec !== undefined) dropUndefined(Object.assign(object.spec, { ephemeralContainers }))
        },
        validate: checkEphemeralUpdate,
      },
    },
    resize: {
      door: 'update',
      strategy: {
        prepare: (object, old) => {
          keepAllButResources(object, old)
          restore(object, old, 'status')
        },
        validate: checkResize,
      },
    },
  },
  warnings: podWarnings,
  selectableFields: ({ spec, status }) => ({
    'spec.nodeName': spec?.nodeName ?? '',
    'spec.restartPolicy': spec?.restartPolicy ?? '',
    'spec.schedulerName': spec?.schedulerName ?? '',
    'spec.serviceAccountName': spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec?.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIP ?? '',
    'status.podIPs': status?.podIP ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
  columns: podColumns,
  rowConditions: ({ status }) => ended[status?.phase ?? ''] ?? [],
  gracePeriodSeconds: ({ spec, status }, requested) => {
    // Nothing runs (yet, or any more): no kubelet will confirm, so it goes at once.
    if (!spec?.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0
    const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 30
    return seconds < 0 ? 1 : seconds
  },
})

function validate({ metadata, spec }: Pod, context: { subresource: string }): FieldError[] {
  const errors: FieldError[] = []
  checkPodAnnotations(errors, 'metadata.annotations', metadata.annotations, spec)
  checkPodSpec(errors, 'spec', spec, { isPod: true, podName: metadata.name })
  if (!spec?.serviceAccountName) {
    spec?.volumes?.forEach(({ projected }, volume) => {
      projected?.sources?.forEach(({ serviceAccountToken }, source) => {
        if (serviceAccountToken === undefined) return
        const path = `spec.volumes[${String(volume)}].projected.sources[${String(source)}].serviceAccountToken`
        errors.push(forbiddenField(path, 'must not be specified when serviceAccountName is not set'))
      })
    })
  }
  for (const field of ['containers', 'initContainers'] as const) {
    spec?.[field]?.forEach(({ image = '' }, index) => {
      if (image.trim() !== image) {
        errors.push(
          invalidValue(`spec.${field}[${String(index)}].image`, image, 'must not have leading or trailing whitespace'),
        )
      }
    })
  }
  // A creation is recognized by what only the server sets afterwards.
  if (metadata.resourceVersion === undefined && context.subresource === '') {
    if ((spec?.ephemeralContainers ?? []).length > 0)
      errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
    if (spec?.nodeName && (spec.schedulingGates ?? []).length > 0) {
      errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
    }
  }
  return errors
}

function checkEphemeralUpdate(object: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return [forbiddenField('[]', 'static pods do not support ephemeral containers')]
  }
  const path = 'spec.ephemeralContainers'
  const errors: FieldError[] = []
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const after = object.spec?.ephemeralContainers?.find((container) => container.name === before.name)
    if (after === undefined)
      errors.push(forbiddenField(path, `existing ephemeral containers "${before.name}" may not be removed\n`))
    else if (!semanticEqual(after, before)) {
      errors.push(forbiddenField(path, `existing ephemeral containers "${before.name}" may not be changed\n`))
    }
  }
  return errors
}
