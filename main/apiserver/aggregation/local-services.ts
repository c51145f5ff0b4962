// An APIService for every group and version this server answers for itself: made at start, and as custom resources come and go.
import type { APIService } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { apiServices } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { groupPriority } from '../discovery/group-priority.ts'
import type { ResourceTable } from '../registry/resource-table.ts'

const managed = 'kube-aggregator.kubernetes.io/automanaged'

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
      groupPriorityMinimum: groupPriority(group),
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
