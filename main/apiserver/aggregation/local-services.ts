// An APIService for every group and version this server answers for itself: made at start, and as custom resources come and go.
import type { APIService } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { apiServices } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ResourceTable } from '../registry/resource-table.ts'

const managed = 'kube-aggregator.kubernetes.io/automanaged'

/** Upstream's order of preference of the groups; all others come after them, as custom ones do. */
const groupPriorities: Readonly<Record<string, number>> = {
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'resource.k8s.io': 15900,
}
const customPriority = 1000

interface Wanted {
  readonly group: string
  readonly version: string
  readonly custom: boolean
}

/** Brings the local APIServices up to date with what is served. What somebody gave to a Service is left alone. */
export async function syncLocalServices(resources: ResourceTable, client: KubeClient): Promise<void> {
  const wanted = new Map<string, Wanted>()
  for (const { kind, custom } of resources.all()) {
    // The aggregator's own group is part of no delegated server.
    if (kind.group === 'apiregistration.k8s.io') continue
    wanted.set(`${kind.version}.${kind.group}`, { ...kind, custom: custom !== undefined })
  }
  const present = new Map((await client.list(apiServices)).items.map((item) => [item.metadata.name ?? '', item]))
  await Promise.all([
    ...[...wanted].filter(([name]) => !present.has(name)).map(([name, of]) => create(client, name, of)),
    ...[...present]
      .filter(([name, item]) => !wanted.has(name) && item.metadata.labels?.[managed] === 'true')
      .map(([name]) => remove(client, name)),
  ])
}

async function create(client: KubeClient, name: string, { group, version, custom }: Wanted): Promise<void> {
  const service: APIService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name, labels: { [managed]: custom ? 'true' : 'onstart' } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: groupPriorities[group] ?? customPriority,
      versionPriority: custom ? 100 : group === '' ? 1 : 15 * Number(/^v(\d+)$/.exec(version)?.[1] ?? '1'),
    },
  }
  try {
    await client.create(apiServices, service)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

async function remove(client: KubeClient, name: string): Promise<void> {
  try {
    await client.delete(apiServices, name)
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
