// pods/binding: the scheduler's decision. Sets spec.nodeName once and for all, and the PodScheduled condition.
import type { Binding, Pod } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { required } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, conflict, invalid, notFound } from '../../../common/machinery/status.ts'
import { decodeType } from '../registry/decode.ts'
import { unsupported } from '../../kinds/validation/values.ts'
import { updateObject } from '../registry/update.ts'
import { requireBody, writeRequestOf, type ApiCall, type CallResult } from '../routes/api-call.ts'
import type { Subresource, VirtualKind } from './subresource.ts'
import { virtualWrite } from './virtual-write.ts'

const bindingType = { definition: 'io.k8s.api.core.v1.Binding', apiVersion: 'v1', kind: 'Binding' }

export const podBinding: Subresource = {
  info: { name: 'binding', group: '', version: 'v1', kind: 'Binding', verbs: ['create'] },
  perform: bind,
}

/** POST namespaces/{namespace}/bindings: the older door to the same. */
export const bindings: VirtualKind = {
  withoutTable: true,
  perform: bind,
}

async function bind(call: ApiCall): Promise<CallResult> {
  const { registry, resource, info } = call
  const request = writeRequestOf(call)
  const { value } = await requireBody(call)
  const binding = decodeType<KubeObject & Binding>(bindingType, value)
  const write = virtualWrite(call, binding, request, resource.kind.plural === 'pods' ? bindingType : undefined)
  await write.mutate()
  const { name: given = '' } = binding.metadata
  const name = info.name === '' ? given : info.name
  if (given !== '' && given !== name) {
    throw badRequest(`name in URL does not match name in Binding object`)
  }
  const { kind: targetKind = '', name: node = '' }: Partial<Binding['target']> = binding.target ?? {}
  const errors = []
  if (targetKind !== '' && targetKind !== 'Node')
    errors.push(unsupported('target.kind', targetKind, ['Node', '<empty>']))
  if (node === '') errors.push(required('target.name'))
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, errors)
  await write.validate()
  const pods = registry.resources.find('', 'v1', 'pods')
  if (pods === undefined) throw notFound({ group: '', resource: 'pods' }, name)
  await updateObject(registry, pods, {
    namespace: info.namespace,
    name,
    subresource: 'binding',
    keepsGeneration: true,
    strategy: undefined,
    change: (current) => {
      const pod = current.copy() as KubeObject & Pod
      const refuse = (why: string): Error => conflict({ group: '', resource: 'pods/binding' }, name, why)
      if (pod.metadata.deletionTimestamp !== undefined)
        throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
      pod.spec ??= { containers: [] }
      if ((pod.spec.nodeName ?? '') !== '')
        throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
      if ((pod.spec.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
      const { uid, resourceVersion, annotations, labels } = binding.metadata
      if (uid !== undefined && uid !== '') pod.metadata.uid = uid
      if (resourceVersion !== undefined && resourceVersion !== '') pod.metadata.resourceVersion = resourceVersion
      pod.spec.nodeName = node
      if (annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations }
      if (labels !== undefined) pod.metadata.labels = { ...pod.metadata.labels, ...labels }
      markScheduled(pod, formatTime(registry.clock.now()))
      return pod
    },
    request: { ...request, admitted: true },
  })
  return {
    type: 'plain',
    code: 201,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  }
}

function markScheduled(pod: Pod, now: string): void {
  pod.status ??= {}
  // It has its node now: no room need be kept elsewhere.
  delete pod.status.nominatedNodeName
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
  pod.status.conditions = [...others, { type: 'PodScheduled', status: 'True', lastTransitionTime: now }]
}
