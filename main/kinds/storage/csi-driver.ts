// CSIDriver: what Kubernetes must know about a volume driver to call it rightly.
import type { StorageV1TokenRequest } from '../../../common/api/generated/types.ts'
import { duplicate, invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { checkImmutable, checkOptionalOneOf, unsupported } from '../validation/values.ts'

const minTokenSeconds = 600
const maxTokenSeconds = 2 ** 32
const minUpdateSeconds = 10

export const csiDriver = defineKind('storage.k8s.io/v1/csidrivers', {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  // Raised by the few fields that the kubelet follows, see update.
  tracksGeneration: false,
  setDefaults: (object) => {
    object.spec ??= {}
    const { spec } = object
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  validate: ({ spec = {} }) => {
    const errors: FieldError[] = []
    if (spec.attachRequired === undefined) errors.push(required('spec.attachedRequired'))
    const policies = ['File', 'None', 'ReadWriteOnceWithFSType']
    checkOptionalOneOf(errors, 'spec.fsGroupPolicy', spec.fsGroupPolicy, policies)
    checkTokenRequests(errors, 'spec.tokenRequests', spec.tokenRequests ?? [])
    const modes = ['Persistent', 'Ephemeral']
    for (const mode of spec.volumeLifecycleModes ?? [])
      if (!modes.includes(mode)) errors.push(unsupported('spec.volumeLifecycleModes', mode, modes))
    const period = spec.nodeAllocatableUpdatePeriodSeconds
    if (period !== undefined && period < minUpdateSeconds) {
      const detail = 'must be greater than or equal to 10 seconds'
      errors.push(invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', period, detail))
    }
    return errors
  },
  update: {
    prepare: (object, old) => {
      const followed = ({ spec }: typeof object): unknown => [spec?.tokenRequests, spec?.requiresRepublish]
      if (!semanticEqual(followed(object), followed(old)))
        object.metadata.generation = (old.metadata.generation ?? 0) + 1
    },
    validate: ({ spec = {} }, { spec: old = {} }) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'spec.attachedRequired', spec.attachRequired, old.attachRequired)
      checkImmutable(errors, 'spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.volumeLifecycleModes)
      return errors
    },
  },
  columns: [
    nameColumn,
    { name: 'AttachRequired', type: 'boolean', cell: ({ spec }) => spec?.attachRequired ?? true },
    { name: 'PodInfoOnMount', type: 'boolean', cell: ({ spec }) => spec?.podInfoOnMount ?? false },
    { name: 'StorageCapacity', type: 'boolean', cell: ({ spec }) => spec?.storageCapacity ?? false },
    {
      name: 'TokenRequests',
      type: 'string',
      cell: ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    },
    { name: 'RequiresRepublish', type: 'boolean', cell: ({ spec }) => spec?.requiresRepublish ?? false },
    { name: 'Modes', type: 'string', cell: ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(',') || '<none>' },
    ageColumn,
  ],
})

/** Each audience once, the API server's own ("") too. */
function checkTokenRequests(errors: FieldError[], path: string, requests: readonly StorageV1TokenRequest[]): void {
  const seen = new Set<string>()
  requests.forEach(({ audience, expirationSeconds: seconds }, index) => {
    const at = `${path}[${String(index)}]`
    if (seen.has(audience)) {
      errors.push(duplicate(`${at}.audience`, audience))
      return
    }
    seen.add(audience)
    if (seconds === undefined) return
    const refuse = (detail: string): void => {
      errors.push(invalidValue(`${at}.expirationSeconds`, seconds, detail))
    }
    if (seconds < minTokenSeconds) refuse('may not specify a duration less than 10 minutes')
    if (seconds > maxTokenSeconds) refuse('may not specify a duration larger than 2^32 seconds')
  })
}
