// Who may approve, sign and attest for a signer.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CertificateSigningRequest } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { createAuthority } from '../../pki/certificates.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import type { AdmissionAttributes } from './admission.ts'
import { clusterTrustBundleAttest } from './certificates.ts'

let server: TestServer
const group = '/apis/certificates.k8s.io/v1'
const signerName = 'example.com/serving'

beforeAll(async () => {
  server = await startTestServer({
    tokens: {
      plain: { name: 'plain', groups: [] },
      signer: { name: 'signer', groups: [] },
    },
  })
  const roles = '/apis/rbac.authorization.k8s.io/v1'
  const bind = async (name: string, user: string, rules: readonly object[]): Promise<void> => {
    await server.call(`${roles}/clusterroles`, { body: { metadata: { name }, rules } })
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }]
    const roleRef = { kind: 'ClusterRole', apiGroup: 'rbac.authorization.k8s.io', name }
    await server.call(`${roles}/clusterrolebindings`, { body: { metadata: { name }, subjects, roleRef } })
  }
  const certificates = { apiGroups: ['certificates.k8s.io'], verbs: ['*'] }
  const writes = {
    ...certificates,
    resources: [
      'certificatesigningrequests',
      'certificatesigningrequests/approval',
      'certificatesigningrequests/status',
      'clustertrustbundles',
    ],
  }
  await bind('writes-plain', 'plain', [writes])
  await bind('writes-signer', 'signer', [writes])
  // All signers of a domain.
  const signers = { ...certificates, resources: ['signers'], resourceNames: ['example.com/*'] }
  await bind('signs', 'signer', [{ ...signers, verbs: ['approve', 'sign', 'attest'] }])
})
afterAll(() => server.close())

/** PEM, base64. */
async function certificateRequest(): Promise<string> {
  x509.cryptoProvider.set(webcrypto)
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=x', keys, signingAlgorithm })
  return Buffer.from(request.toString('pem')).toString('base64')
}

type Request = KubeObject & CertificateSigningRequest
async function newRequest(name: string): Promise<string> {
  const spec = { request: await certificateRequest(), signerName, usages: ['client auth'] }
  const body = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec }
  const made = await server.call(`${group}/certificatesigningrequests`, { body })
  expect(made.status, made.text).toBe(201)
  return `${group}/certificatesigningrequests/${name}`
}
async function put(
  path: string,
  door: string,
  token: string,
  status: object,
): Promise<{ status: number; message: unknown }> {
  const { body } = await server.call<Request>(path)
  const answer = await server.call<Record<string, unknown>>(`${path}/${door}`, {
    method: 'PUT',
    token,
    body: { ...body, status: { ...body.status, ...status } },
  })
  return { status: answer.status, message: answer.body['message'] }
}
const condition = (type: string): object => ({ type, status: 'True', reason: 'Test', message: 'x' })

describe('CertificateApproval and CertificateSigning', () => {
  it('ask for permission for the signer', async () => {
    const path = await newRequest('a')
    const approved = { conditions: [condition('Approved')] }
    expect(await put(path, 'approval', 'plain', approved)).toEqual({
      status: 403,
      message: `certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to approve requests with signerName "${signerName}"`,
    })
    expect((await put(path, 'approval', 'signer', approved)).status).toBe(200)
    const certificate = Buffer.from((await createAuthority('x')).cert).toString('base64')
    const signed = { certificate }
    expect(await put(path, 'status', 'plain', signed)).toEqual({
      status: 403,
      message: `certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to sign requests with signerName "${signerName}"`,
    })
    expect((await put(path, 'status', 'signer', signed)).status).toBe(200)
  })
})

describe('ClusterTrustBundleAttest', () => {
  const allowed = new Set(['example.com/*'])
  const authorizer = {
    authorize: ({ name = '', verb = '' }: { name?: string; verb?: string }) => ({
      allowed: verb === 'attest' && allowed.has(name),
      reason: '',
    }),
  }
  const attest = (signer: string): void => {
    const object = { metadata: {}, spec: { signerName: signer } }
    const attributes = {
      operation: 'CREATE',
      resourceName: { group: 'certificates.k8s.io', resource: 'clustertrustbundles' },
      name: 'b',
      object,
      request: { user: { name: 'x', groups: [] } },
    }
    void clusterTrustBundleAttest(() => authorizer).validate?.(attributes as unknown as AdmissionAttributes)
  }

  it('asks for permission for the signer, where there is one', () => {
    expect(() => {
      attest('other.com/serving')
    }).toThrow(
      'clustertrustbundles.certificates.k8s.io "b" is forbidden: user not permitted to attest for signerName "other.com/serving"',
    )
    attest(signerName)
    attest('')
  })
})
