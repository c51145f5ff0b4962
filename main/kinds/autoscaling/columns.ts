// `kubectl get hpa`.
import type {
  AutoscalingV2HorizontalPodAutoscaler as Autoscaler,
  MetricSpec,
  MetricStatus,
  MetricValueStatus,
  Quantity,
} from '../../../common/api/generated/types.ts'
import { canonicalQuantity, isQuantity } from '../../../common/machinery/quantity.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import type { Column } from '../kind.ts'

export const autoscalerColumns: readonly Column<Autoscaler>[] = [
  nameColumn,
  {
    name: 'Reference',
    type: 'string',
    cell: ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
  },
  {
    name: 'Targets',
    type: 'string',
    cell: ({ spec, status }) => targets(spec?.metrics ?? [], status?.currentMetrics ?? []),
  },
  {
    name: 'MinPods',
    type: 'string',
    cell: ({ spec }) => (spec?.minReplicas === undefined ? '<unset>' : String(spec.minReplicas)),
  },
  { name: 'MaxPods', type: 'string', cell: ({ spec }) => spec?.maxReplicas ?? 0 },
  { name: 'Replicas', type: 'string', cell: ({ status }) => status?.currentReplicas ?? 0 },
  ageColumn,
]

const show = (quantity: Quantity | undefined): string =>
  quantity !== undefined && isQuantity(quantity) ? canonicalQuantity(quantity) : '<unknown>'

/** Current against wanted, the first two metrics. */
function targets(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return '<none>'
  const shown = specs.slice(0, 2).map((spec, index) => target(spec, statuses[index]))
  return specs.length > 2 ? `${shown.join(', ')} + ${String(specs.length - 2)} more...` : shown.join(', ')
}

function target(
  { resource, containerResource, pods, object, external }: MetricSpec,
  status: MetricStatus | undefined,
): string {
  const ofResource = resource ?? containerResource
  if (ofResource !== undefined) {
    const current = (status?.resource ?? status?.containerResource)?.current
    const { averageValue, averageUtilization } = ofResource.target
    if (averageValue !== undefined) return `${ofResource.name}: ${show(current?.averageValue)}/${show(averageValue)}`
    const percent = (value: number | undefined, otherwise: string): string =>
      value === undefined ? otherwise : `${String(value)}%`
    return `${ofResource.name}: ${percent(current?.averageUtilization, '<unknown>')}/${percent(averageUtilization, '<auto>')}`
  }
  const current: MetricValueStatus | undefined = (status?.pods ?? status?.object ?? status?.external)?.current
  const wanted = (pods ?? object ?? external)?.target
  if (wanted === undefined) return '<unknown type>'
  if (pods !== undefined) return `${show(current?.averageValue)}/${show(wanted.averageValue)}`
  if (wanted.averageValue !== undefined) return `${show(current?.averageValue)}/${show(wanted.averageValue)} (avg)`
  return `${show(current?.value)}/${show(wanted.value)}`
}
