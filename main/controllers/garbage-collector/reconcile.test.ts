import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigMap } from '../../../common/api/generated/types.ts'
import {
  configMaps,
  customResourceDefinitions,
  deployments,
  pods,
  replicaSets,
} from '../../../common/client/resources.ts'
import { events, namespaces, resourceRef } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { RunningControllers } from '../index.ts'
import { startControllers } from '../index.ts'
import { testDeployment } from '../testing/objects.ts'
import type { TestControlPlane } from '../testing/control-plane.ts'
import { startTestControlPlane } from '../testing/control-plane.ts'

let plane: TestControlPlane
let controllers: RunningControllers

beforeEach(async () => {
  plane = await startTestControlPlane()
  controllers = startControllers({
    client: plane.client,
    clock: systemClock,
    logger: silentLogger,
    clusterCA: '',
    controllers: [
      'garbage-collector-controller',
      'serviceaccount-controller',
      'deployment-controller',
      'replicaset-controller',
    ],
  })
  await controllers.ready
})

afterEach(async () => {
  await controllers.stop()
  await plane.close()
})

const make = (name: string, owner?: KubeObject, block = false): Promise<ConfigMap> =>
  plane.client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: owner.apiVersion,
                kind: owner.kind,
                name: owner.metadata.name ?? '',
                uid: owner.metadata.uid ?? '',
                blockOwnerDeletion: block,
              },
            ],
          }),
    },
  })

const exists = async (name: string): Promise<boolean> => {
  try {
    await plane.client.get(configMaps, name, 'default')
    return true
  } catch (error) {
    if (isReason(error, 'NotFound')) return false
    throw error
  }
}
const isGone = (name: string) =>
  eventually(async () => {
    expect(await exists(name)).toBe(false)
  })

describe('garbage collector', () => {
  it('deletes dependents after their owner, down the chain', async () => {
    const owner = await make('owner')
    const child = await make('child', owner)
    await make('grandchild', child)
    await plane.client.delete(configMaps, 'owner', 'default', { propagationPolicy: 'Background' })
    await isGone('child')
    await isGone('grandchild')
  })

  it('deletes an object that was made with an owner that does not exist', async () => {
    const owner = await make('owner')
    await plane.client.delete(configMaps, 'owner', 'default')
    await isGone('owner')
    await make('late', owner)
    await isGone('late')
  })

  it('keeps an object as long as one owner is left, and drops the reference to the other', async () => {
    const first = await make('first')
    const second = await make('second')
    const child = await make('child', first)
    const references = [
      ...(child.metadata.ownerReferences ?? []),
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'second', uid: second.metadata.uid ?? '' },
    ]
    await plane.client.update(configMaps, { ...child, metadata: { ...child.metadata, ownerReferences: references } })
    await plane.client.delete(configMaps, 'first', 'default', { propagationPolicy: 'Background' })
    await eventually(async () => {
      const now = await plane.client.get(configMaps, 'child', 'default')
      expect(now.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['second'])
    })
  })

  it('orphans: the owner goes, the dependents stay without it', async () => {
    const owner = await make('owner')
    await make('child', owner)
    // The graph must know the child, or there would be nobody to cut loose.
    await eventually(() => exists('child'))
    await plane.client.delete(configMaps, 'owner', 'default', { propagationPolicy: 'Orphan' })
    await isGone('owner')
    expect((await plane.client.get(configMaps, 'child', 'default')).metadata.ownerReferences ?? []).toEqual([])
  })

  it('foreground: the owner waits for blocking dependents', async () => {
    const owner = await make('owner')
    const child = await make('child', owner, true)
    await plane.client.update(configMaps, {
      ...child,
      metadata: { ...child.metadata, finalizers: ['example.org/hold'] },
    })
    await plane.client.delete(configMaps, 'owner', 'default', { propagationPolicy: 'Foreground' })
    await eventually(async () => {
      expect((await plane.client.get(configMaps, 'child', 'default')).metadata.deletionTimestamp).toBeDefined()
    })
    expect((await plane.client.get(configMaps, 'owner', 'default')).metadata.finalizers).toEqual(['foregroundDeletion'])
    await plane.client.patch(configMaps, { name: 'child', namespace: 'default' }, 'application/merge-patch+json', {
      metadata: { finalizers: null },
    })
    await isGone('child')
    await isGone('owner')
  })

  it('takes a deployment down with its replica sets and pods', async () => {
    await plane.client.create(deployments, testDeployment('web', 3))
    await eventually(async () => {
      expect((await plane.client.list(pods, { namespace: 'default' })).items).toHaveLength(3)
    })
    await plane.client.delete(deployments, 'web', 'default', { propagationPolicy: 'Background' })
    await eventually(async () => {
      expect((await plane.client.list(replicaSets, { namespace: 'default' })).items).toEqual([])
      expect((await plane.client.list(pods, { namespace: 'default' })).items).toEqual([])
    })
  })

  it('collects custom resources of kinds that appear while it runs', async () => {
    await plane.client.create(customResourceDefinitions, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    })
    const things = resourceRef<KubeObject>('example.org/v1', 'things', 'Thing')
    const owner = await make('owner')
    await eventually(() =>
      plane.client.create(things, {
        apiVersion: 'example.org/v1',
        kind: 'Thing',
        metadata: {
          name: 'child',
          namespace: 'default',
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' }],
        },
      }),
    )
    await plane.client.delete(configMaps, 'owner', 'default', { propagationPolicy: 'Background' })
    await eventually(async () => {
      expect((await plane.client.list(things, { namespace: 'default' })).items).toEqual([])
    })
  })

  it('is not held up by owners in a circle', async () => {
    const first = await make('first')
    const second = await make('second', first, true)
    const third = await make('third', second, true)
    await plane.client.patch(configMaps, { name: 'first', namespace: 'default' }, 'application/merge-patch+json', {
      metadata: {
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: 'third',
            uid: third.metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
    })
    await plane.client.delete(configMaps, 'first', 'default', { propagationPolicy: 'Foreground' })
    await eventually(async () => {
      for (const name of ['first', 'second', 'third']) expect(await exists(name)).toBe(false)
    })
  })

  it('collects an object whose owner is in another namespace, and says why', async () => {
    const owner = await make('owner')
    await plane.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'stray',
        namespace: 'kube-public',
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' }],
      },
    })
    await eventually(async () => {
      const { items } = await plane.client.list(events, { namespace: 'kube-public' })
      expect(items.map(({ reason }) => reason)).toContain('OwnerRefInvalidNamespace')
      const left = await plane.client.list(configMaps, {
        namespace: 'kube-public',
        fieldSelector: 'metadata.name=stray',
      })
      expect(left.items).toEqual([])
    })
  })

  it('keeps a cluster-wide object that names an owner in a namespace', async () => {
    const owner = await make('owner')
    const child = await make('child', owner)
    await plane.client.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: 'wide',
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' }],
      },
    })
    await plane.client.delete(configMaps, 'owner', 'default', { propagationPolicy: 'Background' })
    await eventually(async () => {
      expect(await exists(child.metadata.name ?? '')).toBe(false)
      expect(controllers.controllers.every(({ idle }) => idle)).toBe(true)
    })
    expect((await plane.client.get(namespaces, 'wide')).metadata.deletionTimestamp).toBeUndefined()
  })
})
