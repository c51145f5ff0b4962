// The shape of common/api/generated/descriptions.json: the words of the Kubernetes OpenAPI document, apart from its facts because only
// OpenAPI documents (kubectl explain) need them.

export interface QueryParameterFact {
  type: string
  /** Index into `texts`. */
  text: number
}

export interface Descriptions {
  /** Whose texts these are, and under which licence. */
  notice: string
  /** By full definition name: its own text and those of its fields, as indexes into `texts`. */
  definitions: Record<string, readonly [number, Readonly<Record<string, number>>]>
  /** Query parameters by name; "patch NAME" where patches differ. */
  query: Record<string, QueryParameterFact>
  /** Query parameters of single subresources: "pods/log", "pods/exec". */
  subresources: Record<string, Record<string, QueryParameterFact>>
  texts: string[]
}
