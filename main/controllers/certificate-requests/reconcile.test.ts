import 'reflect-metadata'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CertificateSigningRequest } from '../../../common/api/generated/types.ts'
import { resourcePath } from '../../../common/client/create-client.ts'
import { certificateSigningRequests, clusterRoleBindings, clusterRoles } from '../../../common/client/resources.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { leftMs } from './plan.ts'
import { signers } from './signers.ts'

const nobody = { commonName: '', organizations: [], dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] }
const node = { ...nobody, commonName: 'system:node:a', organizations: ['system:nodes'] }

describe('signers', () => {
  const client = ['digital signature', 'client auth']
  const server = ['digital signature', 'server auth']
  it.each([
    ['kube-apiserver-client', nobody, client, undefined],
    ['kube-apiserver-client', nobody, ['server auth'], 'invalid usage for client certificate: server auth'],
    ['kube-apiserver-client', nobody, ['digital signature'], 'missing required usage for client certificate: client auth'],
    ['kube-apiserver-client-kubelet', node, client, undefined],
    ['kube-apiserver-client-kubelet', node, [...client, 'key encipherment'], undefined],
    ['kube-apiserver-client-kubelet', node, server, 'usages did not match [client auth digital signature key encipherment]'],
    ['kube-apiserver-client-kubelet', { ...node, dnsNames: ['a'] }, client, 'DNS subjectAltNames are not allowed'],
    ['kube-apiserver-client-kubelet', { ...node, organizations: [] }, client, 'subject organization is not system:nodes'],
    ['kubelet-serving', { ...node, dnsNames: ['a'] }, server, undefined],
    ['kubelet-serving', node, server, 'DNS or IP subjectAltName is required'],
    ['kubelet-serving', { ...node, commonName: 'x', dnsNames: ['a'] }, server, 'subject common name does not begin with system:node:'],
    ['legacy-unknown', nobody, [], undefined],
  ])('%s', (signer, identity, usages, expected) => {
    expect(signers[`kubernetes.io/${signer}`]?.({ identity, usages })).toBe(expected)
  }) // prettier-ignore
})

it.each([
  ['unanswered', {}, 86_400_000],
  [
    'approved without a certificate',
    { conditions: [{ type: 'Approved', lastUpdateTime: '2026-01-01T00:00:00Z' }] },
    undefined,
  ],
  ['denied', { conditions: [{ type: 'Denied', lastUpdateTime: '2026-01-01T00:00:00Z' }] }, 3_600_000],
  ['failed', { conditions: [{ type: 'Failed', lastUpdateTime: '2025-12-31T20:00:00Z' }] }, 0],
])(
  'a request that is %s',
  (_title, { conditions = [] }: { conditions?: { type: string; lastUpdateTime: string }[] }, left) => {
    const csr: CertificateSigningRequest = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'r', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { request: '', signerName: 'x' },
      status: { conditions: conditions.map((condition) => ({ ...condition, status: 'True' })) },
    }
    expect(leftMs(csr, Date.UTC(2026, 0, 1))).toBe(left)
  },
)

describe('running', () => {
  let cluster: TestControllers
  let clock: ManualClock
  beforeEach(async () => {
    clock = createManualClock()
    cluster = await startTestControllers(
      [
        'certificatesigningrequest-signing-controller',
        'certificatesigningrequest-approving-controller',
        'certificatesigningrequest-cleaner-controller',
      ],
      clock,
    )
  })
  afterEach(() => cluster.stop())

  async function makeRequest(
    signerName: string,
    subject: x509.JsonName,
    change: Partial<CertificateSigningRequest['spec']> = {},
  ): Promise<void> {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const keys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
    const pem = await x509.Pkcs10CertificateRequestGenerator.create({
      name: subject,
      keys,
      signingAlgorithm: algorithm,
    })
    await cluster.client.create(certificateSigningRequests, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'r' },
      spec: {
        request: Buffer.from(pem.toString('pem')).toString('base64'),
        signerName,
        usages: ['digital signature', 'client auth'],
        ...change,
      },
    })
  }
  const read = () => cluster.client.get(certificateSigningRequests, 'r')
  async function approve(): Promise<void> {
    const csr = await read()
    await cluster.plane.transport.request({
      method: 'PUT',
      path: resourcePath(certificateSigningRequests, { name: 'r', subresource: 'approval' }),
      body: { ...csr, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Mine', message: 'yes' }] } },
    })
  }
  const certificate = () =>
    eventually(async () => {
      const { status } = await read()
      return new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'))
    })

  it('signs what a person approved, and forgets it an hour later', async () => {
    await makeRequest('kubernetes.io/kube-apiserver-client', [{ CN: ['jane'] }, { O: ['dev'] }], {
      expirationSeconds: 3600,
    })
    await approve()
    const issued = await certificate()
    expect(issued.subject).toContain('CN=jane')
    expect(Date.parse(issued.validTo)).toBeGreaterThanOrEqual(clock.now() + 3_600_000 - 60_000)
    await eventually(async () => {
      await clock.advance(3_700_000)
      expect(await read().catch((error: unknown) => isReason(error, 'NotFound'))).toBe(true)
    })
  })

  it('says why it does not sign', async () => {
    await makeRequest('kubernetes.io/kubelet-serving', [{ CN: ['jane'] }], {
      usages: ['server auth', 'digital signature'],
    })
    await approve()
    await eventually(async () => {
      expect((await read()).status?.conditions).toContainEqual(
        expect.objectContaining({
          type: 'Failed',
          reason: 'SignerValidationFailure',
          message: 'subject organization is not system:nodes',
        }),
      )
    })
  })

  it('approves what nodes ask for when those who ask are allowed to', async () => {
    await cluster.client.create(clusterRoles, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'join' },
      rules: [
        { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/nodeclient'], verbs: ['create'] },
      ],
    })
    await cluster.client.create(clusterRoleBindings, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'join' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'join' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'test' }],
    })
    await makeRequest('kubernetes.io/kube-apiserver-client-kubelet', [
      { O: ['system:nodes'] },
      { CN: ['system:node:n'] },
    ])
    const issued = await certificate()
    expect(issued.subject).toBe('O=system:nodes\nCN=system:node:n')
    expect((await read()).status?.conditions?.[0]).toMatchObject({ type: 'Approved', reason: 'AutoApproved' })
  })
})
