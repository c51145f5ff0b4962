import { expect, it } from 'vitest'
import { configMaps, resourceRef } from '../../../common/client/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { OwnerGraph } from './graph.ts'

const gardens = resourceRef('example.com/v1', 'gardens', 'Garden')

const object = (kind: string, uid: string, owner?: string): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind,
  metadata: {
    uid,
    name: uid,
    namespace: 'default',
    ...(owner === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'Garden', name: owner, uid: owner }] }),
  },
})

it('links what was owned by a kind before that kind was known', () => {
  const looked: string[] = []
  let known = false
  const graph = new OwnerGraph({ resolve: () => (known ? gardens : undefined), look: (uid) => looked.push(uid) })
  graph.observe(object('ConfigMap', 'beds', 'front'), configMaps)
  known = true
  graph.observe(object('Garden', 'front'), gardens)
  graph.lookAtOrphans()
  looked.length = 0
  graph.remove('front')
  expect(looked).toContain('beds')
})
