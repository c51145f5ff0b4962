import { expect, it } from 'vitest'
import type { PodTemplateSpec } from '../../../common/api/generated/types.ts'
import { planHistory, templateOf } from './history.ts'

const template: PodTemplateSpec = {
  spec: { restartPolicy: 'Always', containers: [{ name: 'c', image: 'i:1', args: ['b', 'a'] }] },
  metadata: { labels: { b: '1', a: '2' } },
}
const of = {
  owner: { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'd', namespace: 'n', uid: 'u' } },
  template,
  collisionCount: undefined,
  hashLabel: 'controller-revision-hash',
}

it('remembers a template as the patch that restores it, with its keys in order', () => {
  const { create } = planHistory(of, [])
  expect(JSON.stringify(create?.data)).toBe(
    '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"2","b":"1"}},' +
      '"spec":{"containers":[{"args":["b","a"],"image":"i:1","name":"c"}],"restartPolicy":"Always"}}}}',
  )
  if (create === undefined) expect.unreachable()
  expect(templateOf(create)).toEqual(template)
  expect(planHistory(of, [create])).toEqual({ current: create, renumber: undefined, create: undefined })
})
