// Of Node objects a node writes its own, without what decides which workloads come to it.
import type { Node } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { mayNodeSetLabel } from '../../../../common/machinery/node-labels.ts'
import { sameJson } from '../../registry/same-json.ts'
import { quoted, refuse, type Restriction } from './refuse.ts'

type StoredNode = Node & KubeObject

export const restrictNode: Restriction = (attributes, node) => {
  const { name, operation, object, old } = attributes
  const who = `node ${quoted(node)}`
  if (name !== node) throw refuse(attributes, `${who} is not allowed to modify node ${quoted(name)}`)
  if (operation === 'CREATE') {
    const { metadata, spec } = object as StoredNode
    if (spec?.configSource !== undefined)
      throw refuse(attributes, `${who} is not allowed to create pods with a non-nil configSource`)
    const labels = forbiddenChanges({}, metadata.labels)
    if (labels.length > 0)
      throw refuse(attributes, `${who} is not allowed to set the following labels: ${labels.join(', ')}`)
  }
  if (operation !== 'UPDATE') return
  const [before, after] = [old as StoredNode, object as StoredNode]
  const source = after.spec?.configSource
  if (source !== undefined && !sameJson(source, before.spec?.configSource))
    throw refuse(attributes, `${who} is not allowed to update configSource to a new non-nil configSource`)
  if (!sameJson(after.spec?.taints ?? [], before.spec?.taints ?? []))
    throw refuse(attributes, `${who} is not allowed to modify taints`)
  if (!sameJson(after.metadata.ownerReferences ?? [], before.metadata.ownerReferences ?? []))
    throw refuse(attributes, `${who} is not allowed to modify ownerReferences`)
  const labels = forbiddenChanges(before.metadata.labels, after.metadata.labels)
  if (labels.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${labels.join(', ')}`)
}

type Labels = Readonly<Record<string, string>> | undefined

const forbiddenChanges = (before: Labels = {}, after: Labels = {}): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => before[key] !== after[key] && !mayNodeSetLabel(key))
    .sort()
