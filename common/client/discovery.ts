// Which resources the server has, by legacy discovery (it works with every server and through every transport).
import type { APIGroupList, APIResourceList } from '../api/generated/types.ts'
import { parseApiVersion } from '../machinery/meta.ts'
import type { ResourceRef } from './client.ts'
import type { Transport } from './transport.ts'

export interface DiscoveredResource extends ResourceRef {
  readonly verbs: readonly string[]
}

export interface Discovery {
  /** Main resources (no subresources), each group in its preferred version, plus those that only another version has. */
  readonly resources: readonly DiscoveredResource[]
  /** Group versions that could not be asked. */
  readonly failures: readonly { groupVersion: string; error: Error }[]
}

export async function discoverResources(transport: Transport, signal?: AbortSignal): Promise<Discovery> {
  const groups = await transport.request<APIGroupList>({ method: 'GET', path: '/apis', signal })
  const groupVersions = groups.groups.flatMap((group) => {
    const preferred = group.preferredVersion?.groupVersion
    const others = group.versions.map((version) => version.groupVersion).filter((version) => version !== preferred)
    return preferred === undefined ? others : [preferred, ...others]
  })
  const found = new Map<string, DiscoveredResource>()
  const failures: { groupVersion: string; error: Error }[] = []
  const lists = await Promise.allSettled(
    ['v1', ...groupVersions].map((groupVersion) =>
      transport.request<APIResourceList>({
        method: 'GET',
        path: groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`,
        signal,
      }),
    ),
  )
  for (const [i, result] of lists.entries()) {
    const groupVersion = ['v1', ...groupVersions][i] ?? ''
    if (result.status === 'rejected') {
      failures.push({
        groupVersion,
        error: result.reason instanceof Error ? result.reason : new Error(String(result.reason)),
      })
      continue
    }
    const { group, version } = parseApiVersion(groupVersion)
    for (const resource of result.value.resources) {
      if (resource.name.includes('/') || found.has(`${group}/${resource.name}`)) continue
      found.set(`${group}/${resource.name}`, {
        group,
        version,
        plural: resource.name,
        kind: resource.kind,
        namespaced: resource.namespaced,
        verbs: resource.verbs,
      })
    }
  }
  return { resources: [...found.values()], failures }
}
