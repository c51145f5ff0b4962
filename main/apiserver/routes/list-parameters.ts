// Query parameters of list, watch and deletecollection.
import { badRequest } from '../../../common/machinery/status.ts'
import type { ListRequest } from '../registry/list.ts'
import { compileSelection } from '../registry/selection.ts'
import type { WatchRequest } from '../watch/watch-session.ts'
import type { ApiCall } from './api-call.ts'
import { checkListOptions, checkWatchOptions, type ListParameters } from './options-validation.ts'

const parameter = (call: ApiCall, name: string): string => call.query.get(name) ?? ''

export function booleanParameter(query: URLSearchParams, name: string): boolean {
  const text = query.get(name)
  return text !== null && text !== '0' && text.toLowerCase() !== 'false' && (text !== '' || query.has(name))
}

function integerParameter(call: ApiCall, name: string): number | undefined {
  const text = parameter(call, name)
  if (text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`unable to parse ${name}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

function selectionOf(call: ApiCall): Pick<ListRequest, 'selection' | 'onlyName'> {
  const { selection, onlyName } = compileSelection(
    call.resource,
    parameter(call, 'labelSelector'),
    parameter(call, 'fieldSelector'),
  )
  return { selection, ...(onlyName === undefined ? {} : { onlyName }) }
}

const listParametersOf = (call: ApiCall): ListParameters => ({
  resourceVersion: parameter(call, 'resourceVersion'),
  resourceVersionMatch: parameter(call, 'resourceVersionMatch'),
  continueToken: parameter(call, 'continue'),
  sendInitialEvents: call.query.has('sendInitialEvents'),
})

export function listRequestOf(call: ApiCall): ListRequest {
  const limit = integerParameter(call, 'limit') ?? 0
  if (limit < 0)
    throw badRequest(
      `ListOptions.meta.k8s.io "" is invalid: limit: Invalid value: ${String(limit)}: must be greater than or equal to 0`,
    )
  checkListOptions(listParametersOf(call))
  return {
    namespace: call.info.namespace,
    ...selectionOf(call),
    limit,
    continueToken: parameter(call, 'continue'),
    resourceVersion: parameter(call, 'resourceVersion'),
    resourceVersionMatch: parameter(call, 'resourceVersionMatch'),
  }
}

const minWatchMs = 30 * 60_000

/** `minMs`: how long it lasts at least when the client names no end. */
export function watchRequestOf(call: ApiCall, minMs = minWatchMs): WatchRequest {
  const seconds = integerParameter(call, 'timeoutSeconds')
  checkWatchOptions(listParametersOf(call))
  const { name } = call.info
  const selected = selectionOf(call)
  return {
    namespace: call.info.namespace,
    ...selected,
    ...(name === '' ? {} : { onlyName: name }),
    resourceVersion: parameter(call, 'resourceVersion'),
    allowBookmarks: booleanParameter(call.query, 'allowWatchBookmarks'),
    sendInitialEvents: booleanParameter(call.query, 'sendInitialEvents'),
    // Spread out, so that watches opened together do not all end together.
    timeoutMs: seconds === undefined || seconds <= 0 ? minMs * (1 + Math.random()) : seconds * 1000,
  }
}
