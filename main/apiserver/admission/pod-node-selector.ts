// PodNodeSelector: an annotation of the namespace, or the configuration, says where a namespace's pods run.
import type { Pod } from '../../../common/api/generated/types.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'
import type { PluginConfiguration } from './configuration.ts'

const annotation = 'scheduler.alpha.kubernetes.io/node-selector'
/** In the configuration: of namespaces that do not say. */
const clusterDefault = 'clusterDefaultNodeSelector'

type Labels = Readonly<Record<string, string>>

/** Selectors by namespace: which labels its pods may select by. */
export function readNodeSelectors(configuration: PluginConfiguration | undefined): ReadonlyMap<string, Labels> {
  const { podNodeSelectorPluginConfig: given = {} } = (configuration?.content ?? {}) as {
    podNodeSelectorPluginConfig?: Readonly<Record<string, unknown>>
  }
  return new Map(
    Object.entries(given).map(([namespace, text]) => {
      if (typeof text !== 'string')
        throw new Error(`podNodeSelectorPluginConfig.${namespace}: Invalid value: must be a selector ("key=value,…")`)
      return [namespace, parseLabels(text)]
    }),
  )
}

export const podNodeSelector = (selectors: ReadonlyMap<string, Labels>): AdmissionPlugin => ({
  name: 'PodNodeSelector',
  concerns: concernsCore('pods'),
  mutate(attributes) {
    const { spec } = (attributes.object ?? {}) as Pod
    if (!isCreate(attributes) || spec === undefined) return false
    const wanted = selectorOf(attributes) ?? selectors.get(clusterDefault) ?? {}
    if (Object.keys(wanted).length === 0) return false
    for (const [key, value] of Object.entries(wanted))
      if ((spec.nodeSelector?.[key] ?? value) !== value)
        throw refuse(attributes, 'pod node label selector conflicts with its namespace node label selector')
    spec.nodeSelector = { ...wanted, ...spec.nodeSelector }
    return true
  },
  validate(attributes) {
    const { spec } = (attributes.object ?? {}) as Pod
    const allowed = selectors.get(attributes.namespace)
    if (!isCreate(attributes) || allowed === undefined || Object.keys(allowed).length === 0) return
    if (Object.entries(spec?.nodeSelector ?? {}).some(([key, value]) => allowed[key] !== value))
      throw refuse(attributes, 'pod node label selector labels conflict with its namespace whitelist')
  },
})

const refuse = ({ resourceName, name }: AdmissionAttributes, why: string): Error => forbidden(resourceName, name, why)

function selectorOf({ registry, namespace }: AdmissionAttributes): Labels | undefined {
  const text = lookup(registry, '', 'namespaces', undefined, namespace)?.object.metadata.annotations?.[annotation]
  return text === undefined ? undefined : parseLabels(text)
}

const parseLabels = (text: string): Labels =>
  Object.fromEntries(
    text
      .split(',')
      .map((pair) => pair.split('=').map((part) => part.trim()))
      .filter(([key]) => key !== '')
      .map(([key = '', value = '']) => [key, value]),
  )
