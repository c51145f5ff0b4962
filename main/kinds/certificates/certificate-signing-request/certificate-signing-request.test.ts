import { describe, expect, it } from 'vitest'
import type { CertificateSigningRequest } from '../../../../common/api/generated/types.ts'
import { runKindContract } from '../../kind-contract.ts'
import { createObject, newTestContext, testNow, updateObject } from '../../testing/lifecycle.ts'
import { certificateSigningRequest as kind } from './index.ts'

/** openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /O=dev/CN=ada, in base64. */
const request =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIV01INENBUUF3SERFTU1Bb0dBMVVFQ2d3RFpHVjJNUXd3Q2dZRFZRUUREQU5oWkdFd1dUQVRCZ2NxaGtqTwpQUUlCQmdncWhrak9QUU1CQndOQ0FBVFlJbmVUM1lBWGc3d3E2Ly9mZUZwV0Y0VXMvdXMzcCtZcGphamdjOEtyCkQ0TmUvRys1OTNZeGNsZFZlQklBWVpCNGpxQjdOci9hdE9KelRXUnl2YUpFb0FBd0NnWUlLb1pJemowRUF3SUQKU0FBd1JRSWdRT0JwWmFnaTdJVFRZNU5SdHQ1b1dNdlNJdm84T01MM2p2Nldwd3dGd1NRQ0lRQzhPM3FOY2dpQQpqeU51M1ZOTCtDUWI5bEpIWk8wUy9oRWRBN3ZGdjlud05nPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='
const spec = { request, signerName: 'example.com/signer', usages: ['client auth', 'digital signature'] }

runKindContract(kind, {
  valid: [{ metadata: { name: 'Any name: at all' }, spec }, { spec: { ...spec, expirationSeconds: 600 } }],
})

const errorsOf = (changes: Record<string, unknown>): string[] =>
  createObject(kind, { spec: { ...spec, ...changes } }).errors.map((text) => text.replaceAll(request, '…'))

describe('a new CertificateSigningRequest', () => {
  it('says who asked, whatever the request says', () => {
    const context = {
      ...newTestContext(),
      user: { name: 'ada', uid: '7', groups: ['dev'], extra: { scopes: ['a'] } },
    }
    const { object } = createObject(kind, { spec: { ...spec, username: 'root', groups: ['system:masters'] } }, context)
    expect(object.spec).toEqual({ ...spec, username: 'ada', uid: '7', groups: ['dev'], extra: { scopes: ['a'] } })
  })

  it('is not approved by itself', () => {
    const status = { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'eA==' }
    expect(createObject(kind, { spec, status }).object.status).toEqual({})
  })

  it.each<[Record<string, unknown>, string[]]>([
    [{ request: 'eA==' }, ['spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST']],
    [{ usages: [] }, ['spec.usages: Required value']],
    [{ usages: ['signing', 'signing'] }, ['spec.usages[1]: Duplicate value: "signing"']],
    [{ signerName: '' }, ['spec.signerName: Required value']],
    [
      { signerName: 'signer' },
      [
        'spec.signerName: Invalid value: "signer": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
      ],
    ],
    [
      { signerName: 'com/signer' },
      ['spec.signerName: Invalid value: "com": should be a domain with at least two segments separated by dots'],
    ],
    [
      { signerName: 'kubernetes.io/legacy-unknown' },
      [
        'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
      ],
    ],
    [
      { expirationSeconds: 599 },
      ['spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)'],
    ],
  ])('with %j is refused', (changes, errors) => {
    expect(errorsOf(changes)).toEqual(errors)
  })

  it('is refused when its maker does not hold the key', () => {
    const pem = atob(request)
    const [head = '', ...lines] = pem.split('\n')
    const der = Buffer.from(lines.slice(0, -2).join(''), 'base64')
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
    const forged = btoa([head, der.toString('base64'), lines.at(-2), ''].join('\n'))
    expect(createObject(kind, { spec: { ...spec, request: forged } }).errors).toEqual([
      `spec.request: Invalid value: "${forged}": x509: signature is not valid`,
    ])
  })
})

describe('the doors of a CertificateSigningRequest', () => {
  const { object } = createObject(kind, { spec })
  const condition = (type: string, status = 'True') => ({ type, status })
  const through = (
    door: string,
    conditions: { type: string; status: string }[],
    old: CertificateSigningRequest = object,
  ) =>
    updateObject(kind, old, (changed) => Object.assign(changed, { status: { ...changed.status, conditions } }), {
      door,
    })

  it('approval judges', () => {
    const { object: approved, errors } = through('approval', [condition('Approved')])
    expect(errors).toEqual([])
    const times = { lastUpdateTime: testNow, lastTransitionTime: testNow }
    expect(approved.status).toEqual({ conditions: [{ ...condition('Approved'), ...times }] })
    expect(through('approval', [], approved).errors).toEqual([
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ])
    expect(through('approval', [condition('Approved'), condition('Denied')]).errors).toEqual([
      'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ])
    expect(through('approval', [condition('Approved', 'False')]).errors).toEqual([
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
    ])
  })

  it('status issues, once, and does not judge', () => {
    expect(through('status', [condition('Denied')]).errors).toEqual([
      'status.conditions: Forbidden: updates may not add a condition of type "Denied"',
    ])
    const pem = btoa('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    const issue = (old: CertificateSigningRequest, certificate: string, door = 'status') =>
      updateObject(kind, old, (changed) => Object.assign(changed, { status: { certificate } }), { door })
    const { object: issued, errors } = issue(object, pem)
    expect(errors).toEqual([])
    expect(issue(issued, btoa('-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n')).errors).toEqual([
      'status.certificate: Forbidden: updates may not modify existing certificate content',
    ])
    expect(issue(object, btoa('x')).errors).toEqual([
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ])
  })

  it('status keeps the approval its writer did not know of', () => {
    const { object: approved } = through('approval', [condition('Approved')])
    const { object: failed, errors } = through('status', [condition('Failed')], approved)
    expect(errors).toEqual([])
    expect(failed.status?.conditions?.map(({ type }) => type)).toEqual(['Failed', 'Approved'])
  })

  it('the main one changes metadata only', () => {
    const changed = updateObject(kind, object, (value) => Object.assign(value.spec, { usages: ['signing'] }))
    expect(changed.errors).toEqual([])
    expect(changed.object.spec).toEqual(object.spec)
  })
})

describe('kubectl get csr', () => {
  it.each<[string[], string, string]>([
    [[], '', 'Pending'],
    [['Approved'], '', 'Approved'],
    [['Approved'], 'x', 'Approved,Issued'],
    [['Denied', 'Approved'], '', 'Denied'],
    [['Approved', 'Failed'], '', 'Approved,Failed'],
  ])('shows %j with certificate "%s" as %s', (types, certificate, expected) => {
    const conditions = types.map((type) => ({ type, status: 'True' }))
    const { object } = createObject(kind, { spec: { ...spec, expirationSeconds: 86_400 } })
    const cells = (kind.columns ?? []).map((column) =>
      column.cell({ ...object, status: { conditions, certificate } }, new Date(testNow)),
    )
    expect(cells).toEqual(['test', '0s', 'example.com/signer', 'tester', '24h', expected])
  })
})
