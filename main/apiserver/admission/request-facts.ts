// A request as webhooks and expressions see it: the AdmissionRequest of admission.k8s.io, without its objects.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { AdmissionAttributes } from './admission.ts'

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}
interface GroupVersionResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

export interface RequestFacts {
  readonly kind: GroupVersionKind
  readonly resource: GroupVersionResource
  readonly subResource?: string
  readonly requestKind: GroupVersionKind
  readonly requestResource: GroupVersionResource
  readonly requestSubResource?: string
  readonly name: string
  readonly namespace?: string
  readonly operation: string
  readonly userInfo: object
  readonly dryRun: boolean
  readonly options: object
}

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' } as const

export function requestFacts(attributes: AdmissionAttributes, matched: ServedResource): RequestFacts {
  const { name, namespace, operation, subresource, request, resource } = attributes
  const kindOf = ({ kind }: ServedResource): GroupVersionKind => ({
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
  })
  const resourceOf = ({ kind }: ServedResource): GroupVersionResource => ({
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
  })
  const { user, dryRun, fieldManager } = request
  return {
    kind: kindOf(matched),
    resource: resourceOf(matched),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(resource),
    requestResource: resourceOf(resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    name,
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    dryRun,
    options: {
      kind: optionKinds[operation],
      apiVersion: 'meta.k8s.io/v1',
      ...(operation === 'DELETE' || fieldManager === '' ? {} : { fieldManager }),
      ...(dryRun ? { dryRun: ['All'] } : {}),
    },
  }
}

/** The object in another version of its resource; a copy unless it is the request's own. */
export function asVersion(
  object: KubeObject | undefined,
  from: ServedResource,
  to: ServedResource,
): KubeObject | undefined {
  if (object === undefined || from === to) return object
  const copy = structuredClone(object)
  const stored = from.kind.storedAs?.toStored(copy) ?? copy
  const converted = to.kind.storedAs?.fromStored(stored) ?? stored
  return { ...converted, apiVersion: to.apiVersion, kind: to.kind.kind }
}
