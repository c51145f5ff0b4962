// What the generic registry asks of a custom resource's own schema.
import type { FieldError } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'

export interface StructuralHooks {
  /** Drops fields the schema does not know (unless preserved) and returns their paths. */
  prune(object: KubeObject): string[]
  setDefaults(object: KubeObject): void
  validate(object: KubeObject): FieldError[]
  /** The version's schema as OpenAPI publishes it. */
  openApiSchema(): Record<string, unknown>
  /** The schema in the form field ownership works on. */
  readonly fieldDefinitions: { readonly root: string; readonly definitions: Definitions }
}
