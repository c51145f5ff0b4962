// One request for a resource, whichever road it came by (HTTP or in process), and what it can result in.
import type { StatusError } from '../../../common/machinery/status.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import type { Column } from '../../kinds/kind.ts'
import type { UserInfo } from '../apiserver.ts'
import type { ResourceRequestInfo } from '../chain/request-info.ts'
import type { Registry, WriteRequest } from '../registry/context.ts'
import { parseFieldValidation, type FieldValidation } from '../registry/decode.ts'
import type { ListResult } from '../registry/list.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { checkWriteOptions, type OptionsKind } from './options-validation.ts'
import { isApplyPatch } from './patch-types.ts'

export interface CallBody {
  readonly value: unknown
  /** Duplicate fields found in the text, as warnings name them. */
  readonly duplicates: readonly string[]
}

export interface ApiCall {
  readonly registry: Registry
  readonly resource: ServedResource
  readonly info: ResourceRequestInfo
  readonly query: URLSearchParams
  readonly user: UserInfo
  /** Undefined for an empty body. */
  readonly body: () => Promise<CallBody | undefined>
  /** Media type of the body, lower case. */
  readonly contentType: string
  readonly userAgent: string
  /** Throws 403: a write that turns out to create needs the permission to create. */
  readonly mayCreate: () => Promise<void>
  readonly warn: (text: string) => void
  /** Notes for the audit log, when the request is audited. */
  readonly audit?: (key: string, value: string) => void
}

export type CallResult =
  | { readonly type: 'stored'; readonly code: number; readonly object: StoredObject }
  /** An object that is no stored one (a Scale, a Status, a review); with `columns` it can be shown as a table. */
  | { readonly type: 'plain'; readonly code: number; readonly object: object; readonly columns?: readonly Column[] }
  | { readonly type: 'list'; readonly list: ListResult }

export type CallError = StatusError

const optionsKinds: Partial<Record<ResourceRequestInfo['verb'], OptionsKind>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
}

/** Reads the parameters all writes share. Throws 422 with everything that is wrong about them. */
export function writeRequestOf(call: ApiCall, bodyDryRun: readonly string[] = []): WriteRequest {
  const { query, info } = call
  const dryRun = [...query.getAll('dryRun').filter((value) => value !== ''), ...bodyDryRun]
  const fieldManager = query.get('fieldManager') ?? ''
  const kind = optionsKinds[info.verb]
  if (kind !== undefined)
    checkWriteOptions(kind, {
      fieldManager,
      dryRun,
      fieldValidation: query.get('fieldValidation') ?? '',
      ...(info.verb === 'patch' ? { patch: { apply: isApplyPatch(call.contentType), force: query.has('force') } } : {}),
    })
  return {
    user: call.user,
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager === '' ? managerOfProgram(call.userAgent) : fieldManager,
    query,
    warn: call.warn,
    ...(call.audit === undefined ? {} : { audit: call.audit }),
  }
}

/** As upstream: the program's name, up to the first slash. */
const managerOfProgram = (userAgent: string): string => (userAgent.split('/')[0] ?? '').slice(0, 128) || 'unknown'

export const fieldValidationOf = (call: ApiCall): FieldValidation =>
  parseFieldValidation(call.query.get('fieldValidation'))

export async function requireBody(call: ApiCall): Promise<CallBody> {
  const body = await call.body()
  if (body === undefined)
    throw badRequest(
      `the object provided is unrecognized (must be of type ${call.resource.kind.kind}): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`,
    )
  return body
}

/** A result as the object it stands for; stored ones are frozen. */
export function resultObject(resource: ServedResource, result: CallResult): object {
  switch (result.type) {
    case 'plain':
      return result.object
    case 'stored':
      return result.object.object
    case 'list':
      return {
        kind: `${resource.kind.kind}List`,
        apiVersion: resource.apiVersion,
        metadata: listMetadata(result.list),
        items: result.list.items.map((item) => item.object),
      }
  }
}

export function listMetadata(list: ListResult): object {
  return {
    resourceVersion: String(list.revision),
    ...(list.continueToken === '' ? {} : { continue: list.continueToken }),
    ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
  }
}
