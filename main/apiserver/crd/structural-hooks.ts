// What the generic registry asks of a custom resource's own schema.
import type { FieldError } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'
import type { ServedConversion } from './conversion/conversion.ts'

export interface StructuralHooks {
  /** The definition is being deleted: nothing new is created. */
  readonly terminating: boolean
  /** Drops fields the schema does not know (unless preserved) and returns their paths. */
  prune(object: KubeObject): string[]
  setDefaults(object: KubeObject): void
  /** By the schema and its rules; `old` on updates, `warn` hears what is wrong but was so before. */
  validate(object: KubeObject, old: KubeObject | undefined, warn: (text: string) => void): FieldError[]
  /** Present when a webhook converts between the definition's versions. */
  readonly conversion?: ServedConversion
  /** The version's schema as OpenAPI publishes it. */
  openApiSchema(): Record<string, unknown>
  /** The schema in the form field ownership works on. */
  readonly fieldDefinitions: { readonly root: string; readonly definitions: Definitions }
}
