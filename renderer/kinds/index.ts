// The list of kinds the window shows. A new kind is its view plus one line here; lists, details, palette and links derive from it.
import type { RouteLocationRaw } from 'vue-router'
import type { KubeObject } from '../api/index.ts'
import { events, machines, namespaces, nodes } from './cluster.ts'
import { configMaps, secrets, serviceAccounts } from './configuration.ts'
import type { KindView } from './kind-view.ts'
import { endpointSlices, services } from './network.ts'
import { daemonSets, deployments, jobs, pods, replicaSets } from './workloads.ts'

export type { KindView } from './kind-view.ts'

export const kindViews: readonly KindView[] = [
  deployments,
  replicaSets,
  daemonSets,
  jobs,
  pods,
  services,
  endpointSlices,
  configMaps,
  secrets,
  serviceAccounts,
  nodes,
  machines,
  namespaces,
  events,
]

const byPlural = new Map(kindViews.map((view) => [view.resource.plural, view]))
const byKind = new Map(kindViews.map((view) => [view.resource.kind, view]))

export const kindViewOfPlural = (plural: string): KindView | undefined => byPlural.get(plural)
export const kindViewOfKind = (kind: string): KindView | undefined => byKind.get(kind)

/** The segment that stands for "no namespace" in addresses of cluster-scoped objects. */
export const noNamespace = '_'

/** Where an object's page is; undefined for kinds that have none. */
export function objectRoute(kind: string, namespace: string | undefined, name: string): RouteLocationRaw | undefined {
  const view = byKind.get(kind)
  if (view === undefined || name === '') return undefined
  return {
    name: 'detail',
    params: {
      kind: view.resource.plural,
      namespace: view.resource.namespaced ? (namespace ?? 'default') : noNamespace,
      name,
    },
  }
}

export const routeOf = (object: KubeObject): RouteLocationRaw | undefined =>
  objectRoute(object.kind, object.metadata.namespace, object.metadata.name ?? '')
