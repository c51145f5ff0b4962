// ResourceClaim: devices that pods use, asked for once and shared as the claim says.
import type { ResourceV1DeviceClaim, ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { forbiddenField, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type WriteContext } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkImmutable } from '../validation/values.ts'
import { checkClaimStatus } from './claim-status.ts'
import { checkDeviceClaim, setClaimDefaults } from './device-claim.ts'

export const resourceClaim = defineKind('resource.k8s.io/v1/resourceclaims', {
  returnsDeletedObject: true,
  tracksGeneration: false,
  prepareForCreate: dropStatus,
  setDefaults: ({ spec }) => {
    setClaimDefaults(spec?.devices)
  },
  validate: ({ metadata, spec }, context, old) => {
    const errors: FieldError[] = []
    if (old !== undefined) return errors
    checkDeviceClaim(errors, 'spec.devices', spec?.devices ?? {}, context)
    checkAdminAccess(errors, 'spec.devices', spec?.devices, { namespace: metadata.namespace, context })
    return errors
  },
  update: mainDoor((object, old) => {
    const errors: FieldError[] = []
    checkImmutable(errors, 'spec', object.spec, old.spec)
    return errors
  }),
  status: statusDoor({
    validate: checkClaimStatus,
    keepMetadata: ['labels', 'annotations', 'finalizers', 'ownerReferences'],
  }),
  columns: [
    nameColumn,
    {
      name: 'State',
      type: 'string',
      description: 'A summary of the current state (allocated, pending, reserved, etc.).',
      cell: state,
    },
    ageColumn,
  ],
})

function state({ metadata, status }: ResourceV1ResourceClaim): string {
  const states = metadata.deletionTimestamp === undefined ? [] : ['deleted']
  if (status?.allocation === undefined) {
    if (states.length === 0) states.push('pending')
  } else {
    states.push('allocated')
    if ((status.reservedFor ?? []).length > 0) states.push('reserved')
  }
  return states.join(',')
}

const adminLabel = 'resource.kubernetes.io/admin-access'

/** Only namespaces that are marked for it may look into devices that others use. */
export function checkAdminAccess(
  errors: FieldError[],
  path: string,
  claim: ResourceV1DeviceClaim | undefined,
  { namespace, context }: { readonly namespace: string | undefined; readonly context: WriteContext },
): void {
  const asking = (claim?.requests ?? []).flatMap(({ exactly }, index) => (exactly?.adminAccess === true ? [index] : []))
  if (asking.length === 0) return
  const labels = context.lookup('', 'namespaces', undefined, namespace ?? '')?.metadata.labels ?? {}
  if (labels[adminLabel] === 'true') return
  for (const index of asking) {
    const detail = `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`
    errors.push(forbiddenField(`${path}.requests[${String(index)}].exactly.adminAccess`, detail))
  }
}
