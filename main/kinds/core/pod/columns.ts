// `kubectl get pods [-o wide]`.
import type { Pod } from '../../../../common/api/generated/types.ts'
import { ageColumn, nameColumn } from '../../columns.ts'
import type { Column } from '../../kind.ts'
import { summarizePod } from './status-text.ts'

const orNone = (value: string | undefined): string => (value === undefined || value === '' ? '<none>' : value)

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    cell: (pod, now) => summarizePod(pod, now).ready,
  },
  {
    name: 'Status',
    type: 'string',
    description: 'The aggregate status of the containers in this pod.',
    cell: (pod, now) => summarizePod(pod, now).status,
  },
  {
    name: 'Restarts',
    type: 'string',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    cell: (pod, now) => summarizePod(pod, now).restarts,
  },
  ageColumn,
  { name: 'IP', type: 'string', priority: 1, cell: ({ status }) => orNone(status?.podIPs?.[0]?.ip) },
  { name: 'Node', type: 'string', priority: 1, cell: ({ spec }) => orNone(spec?.nodeName) },
  { name: 'Nominated Node', type: 'string', priority: 1, cell: ({ status }) => orNone(status?.nominatedNodeName) },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: readinessGates },
]

function readinessGates({ spec, status }: Pod): string {
  const gates = spec?.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const met = gates.filter(
    (gate) => status?.conditions?.find((condition) => condition.type === gate.conditionType)?.status === 'True',
  )
  return `${String(met.length)}/${String(gates.length)}`
}
