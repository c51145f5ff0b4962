// The shape of common/api/generated/facts.json: what the Kubernetes OpenAPI document says about types and resources.
// Everything that depends on structure (decoding, unknown fields, merge keys, OpenAPI, discovery) reads these facts.

export type ScalarFact =
  | 'string'
  | 'bytes'
  | 'time'
  | 'micro-time'
  | 'quantity'
  | 'boolean'
  | 'number'
  | 'int32'
  | 'int64'
  | 'int-or-string'
  | 'any'
export type TypeFact = ScalarFact | { ref: string } | { array: TypeFact } | { map: TypeFact }

export interface Field {
  type: TypeFact
  required?: true
  default?: unknown
  listType?: 'atomic' | 'set' | 'map'
  listMapKeys?: string[]
  mapType?: 'atomic'
  patchMergeKey?: string
  /** Comma-separated strategies as Kubernetes writes them: "merge", "replace", "retainKeys", "merge,retainKeys". */
  patchStrategy?: string
}

export interface Definition {
  fields?: Record<string, Field>
  /** A definition that is not an object with named fields (Quantity, IntOrString, Time, JSON, …). */
  is?: TypeFact
  mapType?: 'atomic'
  gvk?: { group: string; version: string; kind: string }
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface ResourceFact {
  group: string
  version: string
  plural: string
  kind: string
  namespaced: boolean
  verbs: Verb[]
  /** Name of its kind in the facts: "io.k8s.api.apps.v1.Deployment". */
  schema: string
  subresources?: Record<string, SubresourceFact>
}

export interface SubresourceFact {
  group: string
  version: string
  kind: string
  verbs: string[]
}

export interface Facts {
  kubernetes: string
  /** By full definition name: "io.k8s.api.apps.v1.Deployment". */
  definitions: Record<string, Definition>
}
