// HorizontalPodAutoscaler (v1): the older shape of the same stored object. What v1 cannot say travels in annotations.
import type {
  AutoscalingV1HorizontalPodAutoscaler as Older,
  AutoscalingV2HorizontalPodAutoscaler as Newer,
  MetricSpec,
} from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { defineKind, type Column } from '../kind.ts'
import { cloneJson, dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { autoscalerColumns } from './columns.ts'
import { checkAutoscaler } from './horizontal-pod-autoscaler.ts'

const prefix = 'autoscaling.alpha.kubernetes.io/'

export const horizontalPodAutoscalerV1 = defineKind('autoscaling/v1/horizontalpodautoscalers', {
  shortNames: ['hpa'],
  categories: ['all'],
  tracksGeneration: false,
  storedAs: {
    group: 'autoscaling',
    plural: 'horizontalpodautoscalers',
    toStored: toNewer,
    fromStored: (object) => toOlder(object as Newer),
  },
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= { currentReplicas: 0, desiredReplicas: 0 }
    object.status.currentReplicas ??= 0
    object.status.desiredReplicas ??= 0
    if (object.spec === undefined) return
    object.spec.minReplicas ??= 1
    if (!metricsIn(object).length) object.spec.targetCPUUtilizationPercentage ??= 80
  },
  validate: (object) => checkAutoscaler(toNewer(object)),
  update: mainDoor(),
  status: statusDoor(),
  columns: autoscalerColumns.map((column): Column<Older> => ({
    ...column,
    cell: (object, now) => column.cell(toNewer(object), now),
  })),
})

const isCpuUtilization = ({ type, resource }: MetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined

function annotation(object: KubeObject, name: string): unknown {
  const text = object.metadata.annotations?.[prefix + name]
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // Not ours: whoever wrote it gets it back as text, and it means nothing.
    return undefined
  }
}

const metricsIn = (object: KubeObject): MetricSpec[] => {
  const metrics = annotation(object, 'metrics')
  return Array.isArray(metrics) ? (metrics as MetricSpec[]) : []
}

function toNewer(object: Older): Newer {
  const { spec, status } = object
  const annotations = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !key.startsWith(prefix))
  const metadata = { ...cloneJson(object.metadata), annotations: Object.fromEntries(annotations) }
  if (annotations.length === 0) Reflect.deleteProperty(metadata, 'annotations')
  const target = spec?.targetCPUUtilizationPercentage
  const cpu: MetricSpec[] =
    target === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }]
  const behavior = annotation(object, 'behavior') as NonNullable<Newer['spec']>['behavior']
  const current = status?.currentCPUUtilizationPercentage
  const cpuNow =
    current === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }]
  const currentMetrics = [...cpuNow, ...((annotation(object, 'current-metrics') ?? []) as typeof cpuNow)]
  const conditions = annotation(object, 'conditions') as NonNullable<Newer['status']>['conditions']
  // A malformed object may come without spec, which validation then names.
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    ...(spec === undefined
      ? {}
      : {
          spec: {
            scaleTargetRef: spec.scaleTargetRef,
            maxReplicas: spec.maxReplicas,
            ...(spec.minReplicas === undefined ? {} : { minReplicas: spec.minReplicas }),
            metrics: [...cpu, ...metricsIn(object)],
            ...(behavior === undefined ? {} : { behavior }),
          },
        }),
    ...(status === undefined
      ? {}
      : {
          status: {
            ...pick(status, ['observedGeneration', 'lastScaleTime']),
            // v2 leaves a zero out, v1 always shows it.
            ...(status.currentReplicas > 0 ? { currentReplicas: status.currentReplicas } : {}),
            desiredReplicas: status.desiredReplicas,
            ...(currentMetrics.length === 0 ? {} : { currentMetrics }),
            ...(conditions === undefined ? {} : { conditions }),
          },
        }),
  } as Newer
}

function toOlder(object: Newer): Older {
  const { spec, status } = object
  const metrics = spec?.metrics ?? []
  const cpu = metrics.find(isCpuUtilization)
  const cpuNow = status?.currentMetrics?.find(
    ({ resource }) => resource?.name === 'cpu' && resource.current.averageUtilization !== undefined,
  )
  const extra: Record<string, unknown> = {
    metrics: metrics.filter((metric) => metric !== cpu),
    behavior: spec?.behavior,
    'current-metrics': (status?.currentMetrics ?? []).filter((metric) => metric !== cpuNow),
    conditions: status?.conditions,
  }
  const written = Object.entries(extra).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  const metadata = cloneJson(object.metadata)
  if (written.length > 0) {
    metadata.annotations = {
      ...metadata.annotations,
      ...Object.fromEntries(written.map(([key, value]) => [prefix + key, JSON.stringify(value)])),
    }
  }
  const target = cpu?.resource?.target.averageUtilization
  const current = cpuNow?.resource?.current.averageUtilization
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    ...(spec === undefined
      ? {}
      : {
          spec: {
            scaleTargetRef: spec.scaleTargetRef,
            maxReplicas: spec.maxReplicas,
            ...(spec.minReplicas === undefined ? {} : { minReplicas: spec.minReplicas }),
            ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }),
          },
        }),
    ...(status === undefined
      ? {}
      : {
          status: {
            ...pick(status, ['observedGeneration', 'lastScaleTime']),
            currentReplicas: status.currentReplicas ?? 0,
            desiredReplicas: status.desiredReplicas,
            ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
          },
        }),
  } as Older
}

function pick<T extends object, K extends keyof T>(value: T, fields: readonly K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {}
  for (const field of fields) if (value[field] !== undefined) picked[field] = value[field]
  return picked
}
