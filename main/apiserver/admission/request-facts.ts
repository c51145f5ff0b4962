// A request as webhooks and expressions see it: the AdmissionRequest of admission.k8s.io, without its objects.
import { parseApiVersion } from '../../../common/machinery/meta.ts'
import type { KindDefinition } from '../../kinds/kind.ts'
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
  /** Left out where the server is yet to make one. */
  readonly name?: string
  readonly namespace?: string
  readonly operation: string
  readonly userInfo: object
  readonly dryRun: boolean
  readonly options: object | null
}

export function requestFacts(attributes: AdmissionAttributes, matched: ServedResource): RequestFacts {
  const { name, operation, subresource, request, resource } = attributes
  const { user } = request
  const namespace = namespaceOf(attributes)
  const kindOf = ({ kind }: ServedResource): GroupVersionKind => typeOf(attributes, kind)
  const resourceOf = ({ kind }: ServedResource): GroupVersionResource => ({
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
  })
  return {
    kind: kindOf(matched),
    resource: resourceOf(matched),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(resource),
    requestResource: resourceOf(resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    dryRun: request.dryRun,
    options: optionsOf(attributes),
  }
}

/** A namespace is in itself. */
const namespaceOf = ({ resource, namespace, name }: AdmissionAttributes): string =>
  resource.kind.group === '' && resource.kind.plural === 'namespaces' ? name : namespace

function typeOf({ objectType }: AdmissionAttributes, { group, version, kind }: KindDefinition): GroupVersionKind {
  if (objectType === undefined) return { group, version, kind }
  return { ...parseApiVersion(objectType.apiVersion), kind: objectType.kind }
}

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

/** What the client said of how to write. */
function optionsOf({ operation, request, deletion }: AdmissionAttributes): object | null {
  if (operation === 'CONNECT') return null
  const { dryRun, query } = request
  const given = (name: string): object => {
    const value = query?.get(name) ?? ''
    return value === '' ? {} : { [name]: value }
  }
  return {
    kind: optionKinds[operation],
    apiVersion: 'meta.k8s.io/v1',
    ...(operation === 'DELETE' ? deletion : { ...given('fieldManager'), ...given('fieldValidation') }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  }
}
