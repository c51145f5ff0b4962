// PodTolerationRestriction: annotations of the namespace, or the configuration, say what its pods tolerate by default, and at most.
import type { Pod, Toleration } from '../../../common/api/generated/types.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import { sameJson } from '../registry/same-json.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concernsCore } from './admission.ts'
import { type PluginConfiguration, requireKind } from './configuration.ts'

const defaultsAnnotation = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const whitelistAnnotation = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'
const memoryPressure = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }

interface ClusterTolerations {
  readonly defaults: readonly Toleration[]
  readonly whitelist: readonly Toleration[]
}

export function readTolerations(configuration: PluginConfiguration | undefined): ClusterTolerations {
  if (configuration === undefined) return { defaults: [], whitelist: [] }
  requireKind(configuration, 'podtolerationrestriction.admission.k8s.io', 'Configuration')
  const { default: defaults = [], whitelist = [] } = configuration.content as {
    default?: readonly Toleration[]
    whitelist?: readonly Toleration[]
  }
  return { defaults, whitelist }
}

export const podTolerationRestriction = (cluster: ClusterTolerations): AdmissionPlugin => ({
  name: 'PodTolerationRestriction',
  concerns: concernsCore('pods'),
  mutate(attributes) {
    const { operation, object } = attributes
    const { spec } = (object ?? {}) as Pod
    if (!isWrite(attributes) || spec === undefined) return false
    const given = spec.tolerations ?? []
    const defaults = operation === 'CREATE' ? (ofNamespace(attributes, defaultsAnnotation) ?? cluster.defaults) : []
    const wanted = defaults.length === 0 ? given : given.length === 0 ? defaults : merge(defaults, given)
    // A pod that asks for nothing is the first to go when memory is short.
    const merged = isBestEffort(object as Pod) ? wanted : merge(wanted, [memoryPressure])
    if (merged.length === 0 || sameJson(merged, given)) return false
    spec.tolerations = merged.map((toleration) => ({ ...toleration }))
    return true
  },
  validate(attributes) {
    const { tolerations = [] } = ((attributes.object ?? {}) as Pod).spec ?? {}
    if (!isWrite(attributes) || tolerations.length === 0) return
    const whitelist = ofNamespace(attributes, whitelistAnnotation) ?? cluster.whitelist
    if (whitelist.length === 0 || tolerations.every((one) => whitelist.some((allowed) => covers(allowed, one)))) return
    throw new StatusError({
      code: 500,
      message:
        'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
    })
  },
})

const isWrite = ({ operation, subresource }: AdmissionAttributes): boolean =>
  (operation === 'CREATE' || operation === 'UPDATE') && subresource === ''

/** Undefined when the namespace does not say. */
function ofNamespace({ registry, namespace }: AdmissionAttributes, annotation: string): Toleration[] | undefined {
  const text = lookup(registry, '', 'namespaces', undefined, namespace)?.object.metadata.annotations?.[annotation]
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text) as Toleration[]
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StatusError({ code: 500, message: `${annotation} of namespace ${namespace}: ${why}` }, { cause: error })
  }
}

/** Each once: what another covers is left out. */
function merge(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second]
  const merged: Toleration[] = []
  for (const [index, toleration] of all.entries()) {
    if (merged.some((other) => covers(other, toleration))) continue
    if (all.slice(index + 1).some((other) => !sameJson(other, toleration) && covers(other, toleration))) continue
    merged.push(toleration)
  }
  return merged
}

/** Whoever tolerates `wide` tolerates all of `narrow`. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (sameJson(wide, narrow)) return true
  const { key = '', operator = '', effect = '', tolerationSeconds } = wide
  if ((narrow.key ?? '') !== key && (key !== '' || operator !== 'Exists')) return false
  if ((narrow.effect ?? '') !== effect && effect !== '') return false
  if (effect === 'NoExecute' && tolerationSeconds !== undefined)
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > tolerationSeconds) return false
  if (operator === 'Exists') return true
  return (narrow.operator ?? 'Equal') === 'Equal' && (narrow.value ?? '') === (wide.value ?? '')
}

const isBestEffort = ({ spec }: Pod): boolean =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].every(({ resources }) =>
    [resources?.requests, resources?.limits].every(
      (amounts) => amounts?.['cpu'] === undefined && amounts?.['memory'] === undefined,
    ),
  )
