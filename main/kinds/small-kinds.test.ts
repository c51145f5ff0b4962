import { describe, expect, it } from 'vitest'
import { lease } from './coordination/lease.ts'
import { endpointSlice } from './discovery/endpoint-slice.ts'
import { runKindContract } from './kind-contract.ts'
import { clusterRoleBinding, roleBinding } from './rbac/binding.ts'
import { clusterRole, role } from './rbac/role.ts'
import { priorityClass } from './scheduling/priority-class.ts'
import { createObject, updateObject } from './testing/lifecycle.ts'

const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
const subjects = [
  { kind: 'User', name: 'ada' },
  { kind: 'ServiceAccount', name: 'bot', namespace: 'default' },
  { kind: 'Group', name: 'team' },
]

runKindContract(lease, {
  valid: [{}, { spec: { holderIdentity: 'me', leaseDurationSeconds: 40, renewTime: '2030-01-01T00:00:00.000000Z' } }],
})
runKindContract(endpointSlice, {
  valid: [
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.1.1'], conditions: { ready: true }, nodeName: 'n' }],
      ports: [{ port: 80 }],
    },
  ],
})
runKindContract(role, { valid: [{ metadata: { name: 'system:odd:name' }, rules }] })
runKindContract(clusterRole, {
  valid: [
    { rules: [...rules, { nonResourceURLs: ['/healthz'], verbs: ['get'] }] },
    { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } },
  ],
})
runKindContract(roleBinding, { valid: [{ roleRef: { kind: 'Role', name: 'r' }, subjects }] })
runKindContract(clusterRoleBinding, { valid: [{ roleRef: { kind: 'ClusterRole', name: 'r' }, subjects }] })
runKindContract(priorityClass, {
  valid: [{ value: 5 }, { metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }],
})

describe('EndpointSlice', () => {
  it('checks addresses by their type', () => {
    expect(
      createObject(endpointSlice, { addressType: 'IPv4', endpoints: [{ addresses: ['2001:db8::1'] }] }).errors,
    ).toEqual(['endpoints[0].addresses[0]: Invalid value: "2001:db8::1": must be an IPv4 address'])
    expect(createObject(endpointSlice, { addressType: 'carrier', endpoints: [] }).errors).toEqual([
      'addressType: Unsupported value: "carrier": supported values: "FQDN", "IPv4", "IPv6"',
    ])
  })

  it('shows its addresses', () => {
    const endpoints = ['1', '2', '3', '4'].map((last) => ({ addresses: [`10.0.0.${last}`] }))
    const { object } = createObject(endpointSlice, { addressType: 'IPv4', endpoints, ports: [{ port: 80 }] })
    expect((endpointSlice.columns ?? []).slice(1, 4).map((column) => column.cell(object, new Date()))).toEqual([
      'IPv4',
      '80',
      '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
    ])
  })
})

describe('RBAC', () => {
  it.each([
    [
      role,
      { rules: [{ apiGroups: [''], resources: ['pods'] }] },
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      role,
      { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
      ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ],
    [
      role,
      { rules: [{ resources: ['pods'], verbs: ['get'] }] },
      ['rules[0].apiGroups: Required value: resource rules must supply at least one api group'],
    ],
  ])('refuses what allows nothing (%#)', (kind, manifest, errors) => {
    expect(createObject(kind, manifest).errors).toEqual(errors)
  })

  it('refuses bindings to nowhere', () => {
    expect(
      createObject(clusterRoleBinding, {
        roleRef: { kind: 'Role', name: '' },
        subjects: [
          { kind: 'Robot', name: 'x' },
          { kind: 'ServiceAccount', name: 'a' },
        ],
      }).errors,
    ).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'roleRef.name: Required value',
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      'subjects[1].namespace: Required value',
    ])
  })

  it('keeps the role of a binding', () => {
    const old = createObject(roleBinding, { roleRef: { kind: 'Role', name: 'view' }, subjects }).object
    const { errors } = updateObject(roleBinding, old, ({ roleRef }) => Object.assign(roleRef, { name: 'admin' }))
    expect(errors).toEqual([
      'roleRef: Invalid value: {"kind":"Role","name":"admin","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ])
  })

  it('shows who is bound', () => {
    const { object } = createObject(roleBinding, { roleRef: { kind: 'Role', name: 'view' }, subjects })
    const cells = (roleBinding.columns ?? []).map((column) => column.cell(object, new Date('2030-01-02T03:04:06Z')))
    expect(cells).toEqual(['test', 'Role/view', '1s', 'ada', 'team', 'default/bot'])
  })
})

describe('PriorityClass', () => {
  it('leaves the highest to the system', () => {
    expect(createObject(priorityClass, { value: 1_000_000_001 }).errors).toEqual([
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ])
    expect(createObject(priorityClass, { metadata: { name: 'system-mine' }, value: 1 }).errors).toHaveLength(1)
  })

  it('keeps its value', () => {
    const old = createObject(priorityClass, { value: 5 }).object
    expect(updateObject(priorityClass, old, (object) => Object.assign(object, { value: 6 })).errors).toEqual([
      'value: Invalid value: 6: field is immutable',
    ])
  })
})

describe('Lease', () => {
  it('lasts', () => {
    expect(createObject(lease, { spec: { leaseDurationSeconds: 0 } }).errors).toEqual([
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ])
  })
})
