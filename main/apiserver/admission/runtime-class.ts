// RuntimeClass: what the class of a pod's runtime costs and where it can run is written into the pod.
import type { Pod, RuntimeClass, Toleration } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import { sameJson } from '../registry/same-json.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  concerns: concernsCore('pods'),
  mutate(attributes) {
    const { spec } = (attributes.object ?? {}) as Pod
    const found = classOf(attributes)
    if (spec === undefined || found === undefined) return false
    let changed = false
    const overhead = found.overhead?.podFixed
    if (overhead !== undefined && spec.overhead === undefined) {
      spec.overhead = { ...overhead }
      changed = true
    }
    const { nodeSelector, tolerations } = found.scheduling ?? {}
    if (nodeSelector !== undefined) {
      for (const [key, value] of Object.entries(nodeSelector)) {
        if ((spec.nodeSelector?.[key] ?? value) === value) continue
        throw forbidden(
          attributes.resourceName,
          attributes.name,
          `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${spec.nodeSelector?.[key] ?? ''}`,
        )
      }
      spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector }
      changed = true
    }
    if (tolerations !== undefined) {
      spec.tolerations = union(spec.tolerations ?? [], tolerations)
      changed = true
    }
    return changed
  },
  validate(attributes) {
    const { resourceName, name, object } = attributes
    if (!isCreate(attributes)) return
    const { overhead } = (object as Pod).spec ?? {}
    if (overhead === undefined) return
    const wanted = classOf(attributes)?.overhead?.podFixed
    if (wanted === undefined)
      throw forbidden(
        resourceName,
        name,
        'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
      )
    if (!sameJson(wanted, overhead))
      throw forbidden(resourceName, name, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  },
}

function classOf(attributes: AdmissionAttributes): (KubeObject & RuntimeClass) | undefined {
  if (!isCreate(attributes)) return undefined
  const { runtimeClassName } = (attributes.object as KubeObject & Pod).spec ?? {}
  if (runtimeClassName === undefined) return undefined
  const found = lookup(attributes.registry, 'node.k8s.io', 'runtimeclasses', undefined, runtimeClassName)
  if (found === undefined)
    throw forbidden(
      attributes.resourceName,
      attributes.name,
      `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`,
    )
  return found.object as KubeObject & RuntimeClass
}

const union = (own: readonly Toleration[], added: readonly Toleration[]): Toleration[] => [
  ...own,
  ...added.filter((toleration) => !own.some((other) => sameJson(other, toleration))),
]
