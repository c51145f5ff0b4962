// Of a claim a node writes how far its volume has been resized.
import { sameJson } from '../../registry/same-json.ts'
import { quoted, refuse, type Restriction } from './refuse.ts'

const resizing = ['capacity', 'conditions', 'allocatedResources', 'allocatedResourceStatuses']

export const restrictClaim: Restriction = (attributes, node) => {
  const { operation, subresource, object, old } = attributes
  if (subresource !== 'status') throw refuse(attributes, 'may only update PVC status')
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${quoted(operation)}`)
  if (sameJson(withoutResizing(old), withoutResizing(object))) return
  throw refuse(
    attributes,
    `node ${quoted(node)} is not allowed to update fields other than status.quantity and status.conditions`,
  )
}

function withoutResizing(object: object | undefined): object {
  const { metadata, status, ...rest } = object as { metadata: object; status?: object }
  const omit = (from: object, names: readonly string[]): object =>
    Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)))
  return {
    ...rest,
    metadata: omit(metadata, ['resourceVersion', 'managedFields']),
    status: omit(status ?? {}, resizing),
  }
}
