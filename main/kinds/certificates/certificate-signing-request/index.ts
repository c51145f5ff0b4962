// CertificateSigningRequest: somebody asks for a certificate, somebody else approves, a signer issues.
import type { CertificateSigningRequest } from '../../../../common/api/generated/types.ts'
import { formatHumanDuration } from '../../../../common/machinery/duration.ts'
import { ageColumn, nameColumn } from '../../columns.ts'
import { defineKind, type UpdateStrategy, type WriteContext } from '../../kind.ts'
import { cloneJson, dropUndefined, mainDoor, statusDoor } from '../../strategy.ts'
import { checkRequest, checkTransition, type Door } from './validation.ts'

type Csr = CertificateSigningRequest

export const certificateSigningRequest = defineKind('certificates.k8s.io/v1/certificatesigningrequests', {
  shortNames: ['csr'],
  nameRule: 'any',
  tracksGeneration: false,
  prepareForCreate: (object, { user }) => {
    object.status = {}
    const { spec } = object
    if (spec === undefined) return
    // Who asks is what the server knows, whatever the request says.
    spec.username = user.name
    spec.uid = user.uid
    spec.groups = user.groups.length === 0 ? undefined : [...user.groups]
    spec.extra = user.extra === undefined || Object.keys(user.extra).length === 0 ? undefined : copyExtra(user.extra)
    dropUndefined(spec)
  },
  validate: (object, { subresource }, old) =>
    old === undefined ? checkRequest(object) : subresource === '' ? checkRequest(object, old) : [],
  update: {
    prepare: (object, old, context) => {
      object.spec = cloneJson(old.spec)
      mainDoor<Csr>().prepare?.(object, old, context)
    },
    validate: transition('main'),
  },
  status: {
    prepare: (object, old, context) => {
      statusDoor<Csr>().prepare?.(object, old, context)
      keepJudgement(object, old)
      fillTimes(object, old, context)
    },
    validate: transition('status'),
  },
  subresources: {
    approval: {
      door: 'update',
      strategy: {
        prepare: (object, old, context) => {
          const conditions = object.status?.conditions
          statusDoor<Csr>().prepare?.(object, old, context)
          object.status = dropUndefined({ ...cloneJson(old.status), conditions })
          fillTimes(object, old, context)
        },
        validate: transition('approval'),
      },
    },
  },
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  columns: [
    nameColumn,
    ageColumn,
    { name: 'SignerName', type: 'string', cell: ({ spec }) => spec?.signerName || '<none>' },
    { name: 'Requestor', type: 'string', cell: ({ spec }) => spec?.username ?? '' },
    {
      name: 'RequestedDuration',
      type: 'string',
      cell: ({ spec }) =>
        spec?.expirationSeconds === undefined ? '<none>' : formatHumanDuration(spec.expirationSeconds * 1000),
    },
    { name: 'Condition', type: 'string', cell: state },
  ],
})

const copyExtra = (extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))

function transition(door: Door): NonNullable<UpdateStrategy<Csr>['validate']> {
  return (object, old) => [...(door === 'main' ? [] : checkRequest(object, old)), ...checkTransition(object, old, door)]
}

/** A signer that writes the status back without the approval it has not seen takes nothing away. */
function keepJudgement(object: Csr, old: Csr): void {
  for (const type of ['Approved', 'Denied']) {
    const before = (old.status?.conditions ?? []).filter((condition) => condition.type === type)
    const now = object.status?.conditions ?? []
    if (before.length === 0 || now.some((condition) => condition.type === type)) continue
    object.status = { ...object.status, conditions: [...now, ...before.map(cloneJson)] }
  }
}

function fillTimes({ status }: Csr, old: Csr, { now }: WriteContext): void {
  for (const condition of status?.conditions ?? []) {
    condition.lastUpdateTime ??= now
    const before = old.status?.conditions?.find(({ type }) => type === condition.type)
    const same = before?.status === condition.status ? before.lastTransitionTime : undefined
    condition.lastTransitionTime ??= same ?? now
  }
}

function state({ status }: Csr): string {
  const types = new Set((status?.conditions ?? []).map((condition) => condition.type))
  const judgement = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending'
  return `${judgement}${types.has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`
}
