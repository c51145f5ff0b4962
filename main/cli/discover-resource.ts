// From apiVersion and kind to the resource, by discovery: `orrery up -f` passes any Kubernetes object on.
import type { ResourceRef } from '../../common/client/client.ts'
import type { Transport } from '../../common/client/transport.ts'
import { parseApiVersion } from '../../common/machinery/meta.ts'
import { CodedError } from '../engine/coded-error.ts'

interface ApiResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[]
}

export async function discoverResource(transport: Transport, apiVersion: string, kind: string): Promise<ResourceRef> {
  const { group, version } = parseApiVersion(apiVersion)
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const { resources } = await transport.request<ApiResourceList>({ method: 'GET', path })
  const resource = resources.find((candidate) => candidate.kind === kind && !candidate.name.includes('/'))
  if (!resource)
    throw new CodedError(
      'BadFile',
      `kind "${kind}" does not exist in ${apiVersion}`,
      'See the kinds there are with: kubectl api-resources',
    )
  return { group, version, plural: resource.name, kind, namespaced: resource.namespaced }
}
