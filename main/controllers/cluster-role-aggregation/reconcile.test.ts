import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ClusterRole } from '../../../common/api/generated/types.ts'
import { clusterRoles } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { planAggregation } from './plan.ts'

const role = (name: string, change: Partial<ClusterRole> = {}, labels: Record<string, string> = {}): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name, labels },
  ...change,
})
const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
const monitoring = { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { monitoring: 'yes' } }] } }

it('takes each rule once, in the order of the roles, and none of its own', () => {
  const whole = role('whole', monitoring, { monitoring: 'yes' })
  const parts = [
    role('b', { rules: [rule('pods'), rule('nodes')] }, { monitoring: 'yes' }),
    role('a', { rules: [rule('pods')] }, { monitoring: 'yes' }),
    role('c', { rules: [rule('secrets')] }),
  ]
  expect(planAggregation(whole, [whole, ...parts])).toEqual([rule('pods'), rule('nodes')])
  expect(planAggregation({ ...whole, rules: [rule('pods'), rule('nodes')] }, parts)).toBeUndefined()
})

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers(['clusterrole-aggregation-controller'])
})
afterEach(() => cluster.stop())
const rulesOf = async (name: string) => (await cluster.client.get(clusterRoles, name)).rules ?? []

it('follows roles as they come and go, through several steps', async () => {
  await cluster.client.create(clusterRoles, role('whole', monitoring))
  await cluster.client.create(clusterRoles, role('part', { rules: [rule('pods')] }, { monitoring: 'yes' }))
  await eventually(async () => {
    expect(await rulesOf('whole')).toEqual([rule('pods')])
  })
  await cluster.client.delete(clusterRoles, 'part')
  await eventually(async () => {
    expect(await rulesOf('whole')).toEqual([])
  })
  // What users may view, they may edit and administer.
  await cluster.client.create(
    clusterRoles,
    role('widgets', { rules: [rule('widgets')] }, { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }),
  )
  await eventually(async () => {
    for (const name of ['view', 'edit', 'admin']) expect(await rulesOf(name)).toContainEqual(rule('widgets'))
    expect((await rulesOf('admin')).length).toBeGreaterThan((await rulesOf('edit')).length)
  })
})
