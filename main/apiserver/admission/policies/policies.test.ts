import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment, ValidatingAdmissionPolicySpec } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import { create, type Fields, newNamespace } from '../testing.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
const deployments = [
  { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
]

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await newNamespace(server, 'prod', { environment: 'prod' })
  await newNamespace(server, 'test')
})
afterAll(() => server.close())
beforeEach(async () => {
  for (const plural of [
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
    'mutatingadmissionpolicies',
    'mutatingadmissionpolicybindings',
  ])
    await server.call(`${group}/${plural}`, { method: 'DELETE' })
})

async function register(kind: 'Validating' | 'Mutating', spec: object, binding: object): Promise<void> {
  const prefix = kind.toLowerCase()
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const metadata = { name: 'policy' }
  const matchConstraints = { resourceRules: deployments }
  for (const [path, body] of [
    [`${prefix}admissionpolicies`, { kind: `${kind}AdmissionPolicy`, spec: { matchConstraints, ...spec } }],
    [
      `${prefix}admissionpolicybindings`,
      { kind: `${kind}AdmissionPolicyBinding`, spec: { policyName: 'policy', ...binding } },
    ],
  ] as const) {
    const answer = await server.call(`${group}/${path}`, { body: { apiVersion, metadata, ...body } })
    expect(answer.status, answer.text).toBe(201)
  }
}
const validate = (spec: ValidatingAdmissionPolicySpec, binding: object = {}): Promise<void> =>
  register('Validating', spec, { validationActions: ['Deny'], ...binding })

const deployment = (replicas: number, fields: Fields = {}): Fields => ({
  spec: {
    replicas,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } },
  },
  ...fields,
})
const apply = (
  name: string,
  replicas: number,
  fields: Fields = {},
): ReturnType<typeof create<KubeObject & Deployment>> =>
  create<KubeObject & Deployment>(server, `apps/v1 Deployment ${name}`, deployment(replicas, fields), '?dryRun=All')

describe('ValidatingAdmissionPolicy', () => {
  it('refuses what its expressions do not hold for', async () => {
    await validate({ validations: [{ expression: 'object.spec.replicas <= 5' }] })
    expect((await apply('test/ok', 5)).status).toBe(201)
    expect(await apply('test/d', 6)).toMatchObject({
      status: 422,
      message: `deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'policy' denied request: failed expression: object.spec.replicas <= 5`,
      object: { reason: 'Invalid' },
    })
  })

  it('has messages, reasons, variables and conditions', async () => {
    await validate({
      matchConditions: [{ name: 'not-exempt', expression: '!("exempt" in object.metadata.?labels.orValue({}))' }],
      variables: [
        {
          name: 'limit',
          expression: 'namespaceObject.metadata.?labels[?"environment"].orValue("") == "prod" ? 10 : 2',
        },
        { name: 'within', expression: 'object.spec.replicas <= variables.limit' },
      ],
      validations: [
        {
          expression: 'variables.within',
          messageExpression: '"at most " + string(variables.limit) + " for " + request.userInfo.username',
          message: 'too many',
          reason: 'Forbidden',
        },
      ],
    })
    expect((await apply('prod/d', 10)).status).toBe(201)
    const refused = await apply('test/d', 3)
    expect(refused.status).toBe(403)
    expect(refused.message).toMatch(/denied request: at most 2 for admin$/)
    expect((await apply('test/d', 3, { metadata: { labels: { exempt: 'yes' } } })).status).toBe(201)
  })

  it('warns and audits instead where its binding says so', async () => {
    await validate(
      { validations: [{ expression: 'object.spec.replicas <= 5', message: 'too many' }] },
      { validationActions: ['Warn', 'Audit'] },
    )
    const { status, warnings } = await apply('test/d', 6)
    expect(status).toBe(201)
    expect(warnings).toContain(
      "Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'policy': too many",
    )
  })

  it('takes its limits from parameters', async () => {
    await create(server, 'v1 ConfigMap test/limits', { data: { max: '3' } })
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'object.spec.replicas <= int(params.data.max)' }],
    }
    await validate(spec, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } })
    expect((await apply('test/d', 3)).status).toBe(201)
    expect((await apply('test/d', 4)).status).toBe(422)
    expect((await apply('prod/d', 1)).message).toContain(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
  })

  it('is bound to namespaces, and fails or not when it cannot be evaluated', async () => {
    await validate(
      { validations: [{ expression: 'object.spec.missing > 1' }] },
      { matchResources: { namespaceSelector: { matchLabels: { environment: 'prod' } } } },
    )
    expect((await apply('test/d', 1)).status).toBe(201)
    expect((await apply('prod/d', 1)).message).toContain(
      "denied request: expression 'object.spec.missing > 1' resulted in error: no such key: missing",
    )
    await server.call(`${group}/validatingadmissionpolicies/policy`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: { failurePolicy: 'Ignore' } },
    })
    expect((await apply('prod/d', 1)).status).toBe(201)
  })

  it('can ask the authorizer', async () => {
    await validate({
      validations: [
        {
          expression:
            'authorizer.group("apps").resource("deployments").namespace("test").check("delete").allowed() && authorizer.requestResource.check("create").allowed()',
        },
      ],
    })
    expect((await apply('test/d', 1)).status).toBe(201)
  })
})

describe('MutatingAdmissionPolicy', () => {
  it('changes objects by apply configurations and patches', async () => {
    await register(
      'Mutating',
      {
        reinvocationPolicy: 'Never',
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: {
              expression:
                'Object{metadata: Object.metadata{labels: {"made-by": request.userInfo.username}}, spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, imagePullPolicy: "Always"})}}}}',
            },
          },
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression:
                '[JSONPatch{op: "test", path: "/metadata/labels/made-by", value: "admin"}, JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas + 1}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/x"), value: "y"}]',
            },
          },
        ],
      },
      {},
    )
    const { object, status, message } = await apply('test/d', 1)
    expect(status, message).toBe(201)
    expect(object.metadata.labels).toEqual({ 'made-by': 'admin', 'example.com/x': 'y' })
    expect(object.spec?.replicas).toBe(2)
    expect(object.spec?.template.spec?.containers[0]).toMatchObject({
      name: 'c',
      image: 'busybox',
      imagePullPolicy: 'Always',
    })
  })

  it('refuses the write when it fails', async () => {
    await register(
      'Mutating',
      {
        reinvocationPolicy: 'Never',
        mutations: [
          { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/spec/none"}]' } },
        ],
      },
      {},
    )
    const { status, message } = await apply('test/d', 1)
    expect(status).toBe(422)
    expect(message).toContain("policy 'policy' with binding 'policy' denied request: ")
  })
})
