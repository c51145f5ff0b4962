import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ExpressionWarning } from '../../../../common/api/generated/types.ts'
import { eventually } from '../../../../common/client/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const deployments = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }
const warningsOf = (spec: object, rule: object = deployments): ExpressionWarning[] =>
  server.api.policyWarnings({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules: [rule] }, ...spec },
  })

it('shows where expressions take fields for what they are not', () => {
  const warnings = warningsOf({
    validations: [
      { expression: "object.spec.replicas > '1'", messageExpression: "'got ' + object.spec.replicas" },
      { expression: 'object.replicas > 1' },
      { expression: "object.metadata.creationTimestamp < timestamp('2030-01-01T00:00:00Z')" },
    ],
  })
  expect(warnings).toEqual([
    {
      fieldRef: 'spec.validations[0].expression',
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n",
    },
    {
      fieldRef: 'spec.validations[0].messageExpression',
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(string, int)'\n | 'got ' + object.spec.replicas\n | .......^\n",
    },
    {
      fieldRef: 'spec.validations[1].expression',
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n",
    },
  ])
})

it('has one warning for all kinds of a rule, and none where a rule names no kind', () => {
  const validations = [{ expression: 'object.spec.nothing' }]
  const [both] = warningsOf({ validations }, { ...deployments, resources: ['replicasets', 'deployments'] })
  expect(both?.warning.match(/Kind=\w+/g)).toEqual(['Kind=Deployment', 'Kind=ReplicaSet'])
  expect(warningsOf({ validations }, { ...deployments, apiVersions: ['*'] })).toEqual([])
  expect(warningsOf({ validations }, { ...deployments, resources: ['*', 'deployments/scale'] })).toEqual([])
})

it('knows the types of variables and parameters', () => {
  const warnings = warningsOf({
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    variables: [{ name: 'count', expression: 'object.spec.replicas' }],
    validations: [
      { expression: "variables.count == 'x'" },
      { expression: 'params.data.limit > 3' },
      { expression: "params.data.limit != '' && variables.count < 5" },
    ],
  })
  expect(warnings.map(({ fieldRef }) => fieldRef)).toEqual([
    'spec.validations[0].expression',
    'spec.validations[1].expression',
  ])
  expect(warnings[0]?.warning).toContain("'_==_' applied to '(int, string)'")
})

it('reads the schemas of custom resources', async () => {
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { replicas: { type: 'integer' } } } },
  }
  const defined = await server.call('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'crontabs.stable.example.com' },
      spec: {
        group: 'stable.example.com',
        scope: 'Namespaced',
        names: { plural: 'crontabs', kind: 'CronTab' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    },
  })
  expect(defined.status, defined.text).toBe(201)
  await eventually(async () => {
    expect((await server.call('/apis/stable.example.com/v1/crontabs')).status).toBe(200)
  })
  const warnings = warningsOf(
    {
      validations: [
        { expression: "object.spec.replicas > '1'" },
        { expression: 'object.spec.maxRetries < 10' },
        { expression: "object.metadata.name != '' && object.metadata.labels.size() > 0" },
      ],
    },
    { ...deployments, apiGroups: ['stable.example.com'], resources: ['crontabs'] },
  )
  expect(warnings.map(({ warning }) => warning.split('\n')[0])).toEqual([
    "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'",
    "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:12: undefined field 'maxRetries'",
  ])
})
