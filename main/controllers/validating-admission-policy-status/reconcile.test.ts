import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ValidatingAdmissionPolicy } from '../../../common/api/generated/types.ts'
import { validatingAdmissionPolicies } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { startTestControllers, type TestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers(['validatingadmissionpolicy-status-controller'])
})
afterEach(() => cluster.stop())

const statusOf = async (): Promise<ValidatingAdmissionPolicy['status']> =>
  (await cluster.client.get(validatingAdmissionPolicies, 'p')).status

it('says once for each generation what is wrong about types', async () => {
  const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }
  await cluster.client.create(validatingAdmissionPolicies, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: "object.spec.replicas > '1'" }],
    },
  })
  await eventually(async () => {
    expect(await statusOf()).toMatchObject({
      observedGeneration: 1,
      typeChecking: { expressionWarnings: [{ fieldRef: 'spec.validations[0].expression' }] },
    })
  })
  await cluster.client.patch(validatingAdmissionPolicies, { name: 'p' }, 'application/merge-patch+json', {
    spec: { validations: [{ expression: 'object.spec.replicas > 1' }] },
  })
  await eventually(async () => {
    expect(await statusOf()).toEqual({ observedGeneration: 2, typeChecking: {} })
  })
})
