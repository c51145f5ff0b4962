// What a kind is: the contract between main/kinds (one folder per kind) and main/apiserver (the generic machinery).
// Kinds are pure: no I/O, no clock, no randomness; what they need of the outside comes in `WriteContext`.
// The order of every write, spelled once in main/apiserver/registry: decode -> prepare -> default -> mutate (admission) -> allocate
// -> validate -> admit -> compare-and-swap.
import type { KubeObject } from '../../common/machinery/meta.ts'
import type { NameRule } from '../../common/machinery/names.ts'
import type { FieldError } from '../../common/machinery/field-error.ts'
import type { Definition, Verb } from '../../common/api/facts.ts'
import { resources, type ResourceTypes } from '../../common/api/generated/resources.ts'

export interface WriteContext {
  /** Wall clock of this write, RFC 3339 with seconds. */
  readonly now: string
  readonly user: {
    readonly name: string
    readonly uid?: string
    readonly groups: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly dryRun: boolean
  readonly subresource: string
  /** Committed state of another object, for what depends on one (a Service's cluster IP). Frozen. */
  lookup(group: string, plural: string, namespace: string | undefined, name: string): KubeObject | undefined
  /** Committed objects of a resource, frozen. Use sparingly: it is linear. */
  lookupAll(group: string, plural: string, namespace?: string): readonly KubeObject[]
  readonly cluster: ClusterFacts
  /** What is wrong with a CEL expression in a field ("compilation failed: …"), undefined when nothing is. */
  checkExpression(source: string, use: ExpressionUse): string | undefined
  /** What is wrong with defaults and rules (x-kubernetes-validations) of a custom resource's schema, which stands at `path`. */
  checkSchema(path: string, schema: object): FieldError[]
}

/** Where a CEL expression stands: what it may mention and what it must give. */
export interface ExpressionUse {
  /** Of "object", "oldObject", "request", "params", "namespaceObject", "authorizer", "variables", "device", "user", "claims". */
  readonly variables: readonly string[]
  readonly result: 'bool' | 'string' | 'string-or-null' | 'apply-configuration' | 'json-patch' | 'any'
  /** Names under `variables`. */
  readonly composed?: readonly string[]
}

/** Facts of this control plane that defaults may need. */
export interface ClusterFacts {
  /** Ranges that Services have their addresses from: one, or one of each family; the first is of the default family. */
  readonly serviceCIDRs: readonly string[]
  readonly nodePortRange: { readonly from: number; readonly to: number }
  readonly clusterDomain: string
}

export interface Column<T extends KubeObject = KubeObject> {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  /** 0 is always shown; 1 with -o wide. */
  priority?: 0 | 1
  /** Cell value for one object; `now` for ages. Age columns: return the duration text as kubectl prints it ("5d", "3m20s"). */
  cell(object: T, now: Date): string | number | boolean | null
}

/** meta.k8s.io/v1 TableRowCondition. */
export interface RowCondition {
  readonly type: 'Completed'
  readonly status: 'True'
  readonly reason: string
  readonly message: string
}

/** How a write through the main resource or a subresource treats old and new. All functions may mutate `object` only. */
export interface UpdateStrategy<T extends KubeObject> {
  /** Copies from `old` what this door must not change (status on the main door; everything but status on the status door). */
  prepare?(object: T, old: T, context: WriteContext): void
  /** All field errors of the transition, in addition to `validate`. */
  validate?(object: T, old: T, context: WriteContext): FieldError[]
}

export interface SubresourceDefinition<T extends KubeObject> {
  /** "update": get/update/patch of a part of the same object (status, and the like), under `strategy`. */
  readonly door: 'update'
  readonly strategy: UpdateStrategy<T>
}

/** replicas in, replicas out: the `scale` subresource. */
export interface ScaleDefinition<T extends KubeObject> {
  specReplicas(object: T): number
  setSpecReplicas(object: T, replicas: number): void
  statusReplicas(object: T): number
  /** Selector in string form ("app=web,tier!=db"). */
  selector(object: T): string
}

export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly scope: 'Namespaced' | 'Cluster'
  /** Full name in the facts ("io.k8s.api.apps.v1.Deployment") for Kubernetes kinds, or own definitions keyed by full name with `root`. */
  readonly schema: string | { readonly root: string; readonly definitions: Readonly<Record<string, Definition>> }
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** All eight when absent. An empty list: create-only or virtual kinds are given as their own verbs. */
  readonly verbs?: readonly Verb[]

  /** Storage shared with another version of the same data (autoscaling v1/v2, events): stored as that kind, converted at the door. */
  readonly storedAs?: {
    readonly group: string
    readonly plural: string
    toStored(object: T): KubeObject
    fromStored(object: KubeObject): T
  }

  /** Create: drop what a client may not set (status), set generation 1 where the kind has one. */
  prepareForCreate?(object: T, context: WriteContext): void
  /** Defaults as upstream sets them, on every write; must be idempotent. */
  setDefaults?(object: T, context: WriteContext): void
  /**
   * On the main door, after mutating admission and before validation: what the server adds of its own and no writer owns, be it
   * from the kind's other objects (addresses, ports) or from this one (a job's selector).
   * Errors refuse the write before anything else is checked; a StatusError may be thrown too.
   */
  allocate?(object: T, old: T | undefined, context: WriteContext): FieldError[]
  /**
   * All field errors of the object by itself (metadata is validated generically). `old` is what it replaces (undefined on create):
   * what was already wrong there is tolerated where upstream does.
   */
  validate?(object: T, context: WriteContext, old: T | undefined): FieldError[]
  /** How names are checked; upstream's rule of the kind. DNS subdomain when absent. */
  readonly nameRule?: NameRule
  readonly update?: UpdateStrategy<T>
  /** metadata.generation is raised when spec (everything but metadata and status) changes. Default true when the schema has `spec`. */
  readonly tracksGeneration?: boolean
  /** PUT to a name that does not exist creates it (upstream: leases, and few others). */
  readonly allowCreateOnUpdate?: boolean
  /** PUT without resourceVersion is allowed (upstream: most kinds). Default true. */
  readonly allowUnconditionalUpdate?: boolean
  /** Objects of other kinds that are written and deleted in the same transaction (the IPAddresses of a Service). */
  companions?(object: T | undefined, old: T | undefined, context: WriteContext): Companions
  /** What one object gets depends on the others of the kind (`allocate`): its writes run one after another. Default false. */
  readonly serializeWrites?: boolean
  /** Said in a Warning header on every request: "v1 Endpoints is deprecated in v1.33+; use …". */
  readonly deprecation?: string
  /** Warning header texts for this object. */
  warnings?(object: T, old: T | undefined): string[]

  /** Presence means the subresource is served. */
  readonly status?: UpdateStrategy<T>
  readonly scale?: ScaleDefinition<T>
  readonly subresources?: Readonly<Record<string, SubresourceDefinition<T>>>

  /** Fields usable in fieldSelector besides metadata.name and metadata.namespace: exact path to value ("spec.nodeName": "n1"; absent = ""). */
  selectableFields?(object: T): Record<string, string>
  readonly columns?: readonly Column<T>[]
  /** What the row of a Table says about the object besides its cells ("Completed" of pods). */
  rowConditions?(object: T): readonly RowCondition[]
  /** Before deletion: grace period in seconds for a delete that asked for `requested` (undefined = default). 0 = delete at once. Absent: 0. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number
  /** A finished DELETE answers with the object that went, not with a Status (upstream's choice per kind). Default false. */
  readonly returnsDeletedObject?: boolean
  /** What deletion does to dependents when the client does not say. Default "background" (upstream: "orphan" only for legacy). */
  readonly defaultPropagation?: 'Background' | 'Orphan'
  /** Warning of a deletion that does not say what becomes of dependents. */
  readonly deletionWarning?: string
  /** Deletion waits for these finalizers, which creation adds (Namespace: spec.finalizers are handled by its own hook). */
  beginDelete?(object: T, context: WriteContext): void
  /** A finished deletion must wait although no metadata.finalizers remain (Namespace: spec.finalizers). */
  deletionBlocked?(object: T): boolean
  /** deletecollection order, list order etc. are by key. */
}

/** Objects that live and die with another one. */
export interface Companions {
  /** The write fails when one of them exists already. */
  readonly create: readonly { readonly group: string; readonly plural: string; readonly object: KubeObject }[]
  /** Cluster-scoped; those that are gone already are passed over. */
  readonly remove: readonly { readonly group: string; readonly plural: string; readonly name: string }[]
}

type Identity = 'group' | 'version' | 'kind' | 'plural' | 'singular' | 'scope' | 'schema' | 'verbs'

/**
 * A kind of the Kubernetes API: its names, scope, verbs and type come from the generated facts ("apps/v1/deployments"), its
 * behaviour is written by hand.
 */
export function defineKind<Name extends keyof ResourceTypes>(
  name: Name,
  behaviour: Omit<KindDefinition<ResourceTypes[Name]>, Identity>,
): KindDefinition<ResourceTypes[Name]> {
  const { group, version, kind, plural, namespaced, schema, verbs } = resources[name]
  const scope = namespaced ? 'Namespaced' : 'Cluster'
  return { group, version, kind, plural, singular: kind.toLowerCase(), scope, schema, verbs, ...behaviour }
}

/** A kind of Orrery's own, with its own schema. */
export function defineOwnKind<T extends KubeObject>(definition: KindDefinition<T>): KindDefinition<T> {
  return definition
}
