// What all registry operations share, and what one write carries along.
import { formatTime, type Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { ClusterFacts, WriteContext } from '../../kinds/kind.ts'
import type { Store } from '../../store/store.ts'
import type { AdmissionChain } from '../admission/admission.ts'
import type { UserInfo } from '../auth/user-info.ts'
import { checkExpression } from '../cel/environments.ts'
import { checkDefaults } from '../crd/check-defaults.ts'
import { checkSchemaRules } from '../crd/rules/check-rules.ts'
import type { ResourceTable } from './resource-table.ts'
import { keyOf, listPrefix, type ServedResource } from './served-resource.ts'
import type { StoredObject } from './stored-object.ts'

export interface Registry {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly cluster: ClusterFacts
  readonly resources: ResourceTable
  readonly admission: AdmissionChain
}

/** Who asks for a write and how. */
export interface WriteRequest {
  readonly user: UserInfo
  readonly dryRun: boolean
  readonly fieldManager: string
  /** The request's parameters as the client gave them: webhooks hear of them. */
  readonly query?: URLSearchParams
  /** What is written has passed admission already, in another form (a Binding, an Eviction). */
  readonly admitted?: boolean
  /** Collects Warning header texts. */
  readonly warn: (text: string) => void
  /** Notes for the audit log about this request ("pod-security.kubernetes.io/audit-violations"). */
  readonly audit?: (key: string, value: string) => void
}

export function newWriteContext(registry: Registry, request: WriteRequest, subresource: string): WriteContext {
  return {
    now: formatTime(registry.clock.now()),
    user: request.user,
    dryRun: request.dryRun,
    subresource,
    lookup: (group, plural, namespace, name) => lookup(registry, group, plural, namespace, name)?.object,
    lookupAll: (group, plural, namespace) =>
      lookupAll(registry, group, plural, namespace).map((stored) => stored.object),
    cluster: registry.cluster,
    checkExpression,
    checkSchema: (path, schema) => [...checkDefaults(path, schema), ...checkSchemaRules(path, schema)],
  }
}

export function lookup(
  registry: Registry,
  group: string,
  plural: string,
  namespace: string | undefined,
  name: string,
): StoredObject | undefined {
  const resource = registry.resources.findAnyVersion(group, plural)
  if (resource === undefined) return undefined
  return readStored(registry, resource, namespace, name)
}

export function lookupAll(registry: Registry, group: string, plural: string, namespace?: string): StoredObject[] {
  const resource = registry.resources.findAnyVersion(group, plural)
  if (resource === undefined) return []
  return registry.store
    .range({ prefix: listPrefix(resource, namespace) })
    .entries.map((entry) => resource.codec.of(entry))
}

export function readStored(
  registry: Registry,
  resource: ServedResource,
  namespace: string | undefined,
  name: string,
): StoredObject | undefined {
  const entry = registry.store.get(keyOf(resource, namespace, name))
  return entry === undefined ? undefined : resource.codec.of(entry)
}
