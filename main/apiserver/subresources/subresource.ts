// Subresources that are answered with objects: doors to a part of the stored object, and actions on it.
import type { SubresourceInfo } from '../discovery/discovery.ts'
import type { ApiCall, CallResult } from '../routes/api-call.ts'

export interface Subresource {
  readonly info: SubresourceInfo
  /** `call.info.verb` is one of info.verbs. */
  perform(call: ApiCall): Promise<CallResult>
}

/** A kind that is answered at once and never stored (reviews). */
export interface VirtualKind {
  /** Nothing to show in columns: who asks for a table is refused (406), and nothing is done. */
  readonly withoutTable?: boolean
  perform(call: ApiCall): Promise<CallResult>
}
