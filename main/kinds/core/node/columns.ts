// `kubectl get nodes [-o wide]`.
import type { Node } from '../../../../common/api/generated/types.ts'
import { ageColumn, nameColumn } from '../../columns.ts'
import type { Column } from '../../kind.ts'

const rolePrefix = 'node-role.kubernetes.io/'

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: 'Status', type: 'string', description: 'The status of the node', cell: statusText },
  { name: 'Roles', type: 'string', description: 'The roles of the node', cell: roles },
  ageColumn,
  { name: 'Version', type: 'string', cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '' },
  { name: 'Internal-IP', type: 'string', priority: 1, cell: (node) => address(node, 'InternalIP') },
  { name: 'External-IP', type: 'string', priority: 1, cell: (node) => address(node, 'ExternalIP') },
  { name: 'OS-Image', type: 'string', priority: 1, cell: ({ status }) => status?.nodeInfo?.osImage || '<unknown>' },
  {
    name: 'Kernel-Version',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>',
  },
  {
    name: 'Container-Runtime',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
  },
]

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready')
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text
}

function roles({ metadata: { labels = {} } }: Node): string {
  const found = new Set<string>()
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) found.add(key.slice(rolePrefix.length))
    else if (key === 'kubernetes.io/role' && value !== '') found.add(value)
  }
  return found.size === 0 ? '<none>' : [...found].sort().join(',')
}

const address = ({ status }: Node, type: string): string =>
  status?.addresses?.find((candidate) => candidate.type === type)?.address ?? '<none>'
