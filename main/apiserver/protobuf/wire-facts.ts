// The shape of kubernetes-protobuf.json (made by scripts/generate/kubernetes-protobuf.ts at build time): how each message of
// application/vnd.kubernetes.protobuf maps to the JSON form of the same object.

/** Scalars by wire meaning; "m:NAME" is a message of the table; the rest have JSON forms of their own. */
export type WireType =
  | 'string'
  | 'bool'
  | 'int'
  | 'double'
  | 'bytes'
  | 'time'
  | 'micro-time'
  | 'duration'
  | 'quantity'
  | 'int-or-string'
  | 'raw'
  | 'schema-or-array'
  | 'schema-or-bool'
  | 'schema-or-strings'
  | `m:${string}`

export interface WireField {
  /** JSON name; absent for an inlined message, whose fields belong to the holder. */
  name?: string
  type: WireType
  repeated?: true
  /** A map: `type` is the value's; keys are strings. */
  map?: true
  /** Zero values count as absent (Go: not a pointer, omitempty). */
  omitZero?: true
}

export interface WireMessage {
  /** By field number. */
  fields: Record<string, WireField>
  /** A message that stands for a list in JSON (field 1, repeated). */
  list?: true
}

export interface WireFacts {
  source: string
  /** By "<api folder>/<version>.<Name>": "core/v1.Pod", "meta/v1.ObjectMeta". */
  messages: Record<string, WireMessage>
}
