// One group version that another API server serves, as this one knows it.
import type { APIResourceList, APIService } from '../../../common/api/generated/types.ts'

export interface ExtensionDocuments {
  /** Where v3 is, with its hash; undefined when there is none. */
  readonly v3: string | undefined
  /** Its part of v2, compressed. */
  readonly v2: Buffer | undefined
}

export interface ExtensionVersion {
  readonly group: string
  readonly version: string
  readonly spec: NonNullable<APIService['spec']>
  available: boolean
  /** What it serves, as it said last. */
  resources: APIResourceList['resources']
  /** How often it was found not to answer, by reason. */
  readonly failures: Map<string, number>
  /** Undefined until they have been asked for. */
  documents: ExtensionDocuments | undefined
}
