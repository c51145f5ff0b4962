// Priority: a pod's class of importance becomes a number; at most one class is everybody's default.
import type { Pod, PriorityClass } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { systemPriorities } from '../../kinds/scheduling/priority-class.ts'
import { lookup, lookupAll } from '../registry/context.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isCreate } from './admission.ts'

const group = 'scheduling.k8s.io'
const plural = 'priorityclasses'
type Class = KubeObject & PriorityClass

export const priority: AdmissionPlugin = {
  name: 'Priority',
  concerns: ({ group: of, resource }) => (of === '' && resource === 'pods') || (of === group && resource === plural),
  mutate(attributes) {
    if (attributes.resourceName.resource !== 'pods') return false
    if (isCreate(attributes)) return setPriority(attributes)
    if (attributes.operation === 'UPDATE' && attributes.subresource === '') return keepPriority(attributes)
    return false
  },
  validate(attributes) {
    const { resourceName, operation, object, name, registry } = attributes
    if (resourceName.resource !== plural) return
    if (operation === 'DELETE') {
      if (name in systemPriorities)
        throw forbidden(resourceName, name, 'this is a system priority class and cannot be deleted')
      return
    }
    if (!(object as Class).globalDefault) return
    const other = globalDefault(registry)
    if (other === undefined || other.metadata.name === name) return
    throw forbidden(
      resourceName,
      name,
      `PriorityClass ${other.metadata.name ?? ''} is already marked as globalDefault. Only one default can exist`,
    )
  },
}

function globalDefault(registry: AdmissionAttributes['registry']): Class | undefined {
  const defaults = lookupAll(registry, group, plural)
    .map(({ object }) => object as Class)
    .filter((candidate) => candidate.globalDefault === true)
  // Several can exist for a moment, when plugins were off: the smallest is meant.
  return defaults.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
}

function setPriority({ object, registry, resourceName, name }: AdmissionAttributes): boolean {
  const { spec } = object as KubeObject & Pod
  if (spec === undefined) return false
  let value = 0
  let policy = 'PreemptLowerPriority'
  if ((spec.priorityClassName ?? '') === '') {
    const found = globalDefault(registry)
    if (found !== undefined) {
      spec.priorityClassName = found.metadata.name ?? ''
      value = found.value ?? 0
      policy = found.preemptionPolicy ?? policy
    }
  } else {
    const className = spec.priorityClassName ?? ''
    const found = lookup(registry, group, plural, undefined, className)?.object as Class | undefined
    const system = systemPriorities[className]
    if (found === undefined && system === undefined)
      throw forbidden(resourceName, name, `no PriorityClass with name ${className} was found`)
    value = found?.value ?? system ?? 0
    policy = found?.preemptionPolicy ?? policy
  }
  if (spec.priority !== undefined && spec.priority !== value)
    throw forbidden(
      resourceName,
      name,
      `the integer value of priority (${String(spec.priority)}) must not be provided in pod spec; priority admission controller computed ${String(value)} from the given PriorityClass name`,
    )
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
    throw forbidden(
      resourceName,
      name,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    )
  spec.priority = value
  spec.preemptionPolicy = policy
  return true
}

/** Clients that do not know the fields send pods back without them. */
function keepPriority({ object, old }: AdmissionAttributes): boolean {
  const { spec } = object as KubeObject & Pod
  const before = (old as KubeObject & Pod).spec
  if (spec === undefined) return false
  if (spec.priority === undefined && before?.priority !== undefined) spec.priority = before.priority
  if (spec.preemptionPolicy === undefined && before?.preemptionPolicy !== undefined)
    spec.preemptionPolicy = before.preemptionPolicy
  return false
}
