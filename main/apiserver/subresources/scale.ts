// The scale subresource: replicas of any scalable kind in one shape, autoscaling/v1 Scale.
import type { Scale } from '../../../common/api/generated/types.ts'
import { invalidValue } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, invalid, methodNotAllowed, notFound } from '../../../common/machinery/status.ts'
import { ageColumn, nameColumn } from '../../kinds/columns.ts'
import type { Column, ScaleDefinition } from '../../kinds/kind.ts'
import { readStored } from '../registry/context.ts'
import { decodeType, kubernetesFacts } from '../registry/decode.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { updateObject } from '../registry/update.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { type ApiCall, type CallBody, type CallResult, requireBody, writeRequestOf } from '../routes/api-call.ts'
import { applyConfiguration } from '../routes/apply-verb.ts'
import { isApplyPatch } from '../routes/patch-types.ts'
import { newPatch } from '../routes/patched.ts'
import type { Subresource } from './subresource.ts'

const scaleType = { definition: 'io.k8s.api.autoscaling.v1.Scale', apiVersion: 'autoscaling/v1', kind: 'Scale' }

const scaleSchema = { root: scaleType.definition, definitions: kubernetesFacts.definitions }

const columns: readonly Column<KubeObject & Scale>[] = [
  nameColumn,
  { name: 'Desired', type: 'integer', cell: ({ spec }) => spec?.replicas ?? 0 },
  { name: 'Available', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
  ageColumn,
]

export function scaleSubresource(scale: ScaleDefinition<KubeObject>): Subresource {
  return {
    info: { name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] },
    async perform(call) {
      const { registry, resource, info } = call
      if (info.verb === 'get') {
        const object = readStored(registry, resource, info.namespace, info.name)
        if (object === undefined) throw notFound(resource.name, info.name)
        return { type: 'plain', code: 200, object: scaleOf(scale, object.object), columns }
      }
      if (info.verb !== 'update' && info.verb !== 'patch') throw methodNotAllowed(resource.name, info.verb)
      return write(call, resource, scale)
    },
  }
}

async function write(call: ApiCall, resource: ServedResource, scale: ScaleDefinition<KubeObject>): Promise<CallResult> {
  const body = await requireBody(call)
  const door = {
    strategy: resource.kind.update,
    view: {
      type: scaleType,
      of: (whole: KubeObject) => scaleOf(scale, whole),
      into: (whole: KubeObject, seen: KubeObject) => {
        scale.setSpecReplicas(whole, (seen as Scale).spec?.replicas ?? 0)
      },
    },
  }
  const { object } = isApplyPatch(call.contentType)
    ? await applyConfiguration(call, { ...door, config: configurationOf(call, scale, decode(body.value)) })
    : await updateObject(call.registry, resource, {
        namespace: call.info.namespace,
        name: call.info.name,
        subresource: 'scale',
        ...door,
        change: replicasSetter(call, scale, body),
        request: writeRequestOf(call),
      })
  return { type: 'plain', code: 200, object: scaleOf(scale, object.object), columns }
}

const decode = (value: unknown): Scale => decodeType<Scale>(scaleType, value)

/** The object with the replicas that the body asks for, or that its scale has when patched with the body. */
function replicasSetter(
  { contentType, info }: ApiCall,
  scale: ScaleDefinition<KubeObject>,
  body: CallBody,
): (current: StoredObject) => KubeObject {
  const patch =
    info.verb === 'patch' ? newPatch({ contentType, fieldValidation: 'Ignore', schema: scaleSchema }, body) : undefined
  return (current) => {
    const wanted = patch === undefined ? decode(body.value) : patch.apply(scaleOf(scale, current.object), decode)
    requireValid(wanted, info.name)
    const next = current.copy()
    scale.setSpecReplicas(next, wanted.spec?.replicas ?? 0)
    next.metadata.resourceVersion = wanted.metadata?.resourceVersion
    return next
  }
}

/** What an applied scale says, as part of the scaled object: its replicas, and nothing else. */
function configurationOf({ resource, info }: ApiCall, scale: ScaleDefinition<KubeObject>, wanted: Scale): KubeObject {
  requireValid(wanted, info.name)
  const { name, namespace } = info
  const config = {
    apiVersion: resource.apiVersion,
    kind: resource.kind.kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      ...(wanted.metadata?.managedFields && { managedFields: wanted.metadata.managedFields }),
    },
    spec: {},
  }
  if (wanted.spec?.replicas !== undefined) scale.setSpecReplicas(config, wanted.spec.replicas)
  return config
}

function requireValid(wanted: Scale, name: string): void {
  if (wanted.metadata?.name !== undefined && wanted.metadata.name !== '' && wanted.metadata.name !== name)
    throw badRequest(`the name of the object (${wanted.metadata.name}) does not match the name on the URL (${name})`)
  const replicas = wanted.spec?.replicas ?? 0
  if (replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
}

function scaleOf(scale: ScaleDefinition<KubeObject>, object: KubeObject): KubeObject & Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = scale.selector(object)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: scale.specReplicas(object) },
    status: { replicas: scale.statusReplicas(object), ...(selector === '' ? {} : { selector }) },
  }
}
