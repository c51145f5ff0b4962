// What a node agent may do, as user system:node:NAME: report about itself and its pods, and read what those pods use.
import type { Pod, Volume } from '../../../common/api/generated/types.ts'
import { nodeNameOf } from '../admission/node-restriction.ts'
import { lookupAll, type Registry } from '../registry/context.ts'
import { type Attributes, type Authorizer, type Decision, noOpinion, type ResourceAttributes } from './authorizer.ts'
import { ruleAllows } from './rbac.ts'
import { nodeRules } from './policy/node-rules.ts'

const allowed: Decision = { allowed: true, reason: '' }

export class NodeAuthorizer implements Authorizer {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  authorize(attributes: Attributes): Decision {
    const node = nodeNameOf(attributes.user)
    if (node === undefined) return noOpinion
    if (!('path' in attributes) && attributes.group === '') {
      const { resource } = attributes
      if (resource === 'secrets' || resource === 'configmaps' || resource === 'serviceaccounts')
        return this.#authorizeUsed(node, attributes)
    }
    return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? allowed : noOpinion
  }

  /** Objects that pods bound to the node refer to, one by one (also list and watch of a single name). */
  #authorizeUsed(node: string, attributes: ResourceAttributes): Decision {
    const { resource, subresource, verb, namespace, name } = attributes
    const token = resource === 'serviceaccounts' && subresource === 'token' && verb === 'create'
    const read =
      subresource === '' &&
      (verb === 'get' || ((verb === 'list' || verb === 'watch') && resource !== 'serviceaccounts'))
    if (!token && !read) return { allowed: false, reason: `node ${JSON.stringify(node)} cannot ${verb} ${resource}` }
    if (name === '') return { allowed: false, reason: `No Object name found` }
    for (const stored of lookupAll(this.#registry, '', 'pods', namespace)) {
      const pod = stored.object as Pod
      if (pod.spec?.nodeName === node && uses(pod, resource, name)) return allowed
    }
    return { allowed: false, reason: `no relationship found between node '${node}' and this object` }
  }
}

function uses({ spec }: Pod, resource: string, name: string): boolean {
  if (spec === undefined) return false
  if (resource === 'serviceaccounts') return (spec.serviceAccountName ?? 'default') === name
  const secrets = resource === 'secrets'
  if (secrets && (spec.imagePullSecrets ?? []).some((reference) => reference.name === name)) return true
  if (
    (spec.volumes ?? []).some((volume) => (secrets ? volumeSecrets(volume) : volumeConfigMaps(volume)).includes(name))
  )
    return true
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].some((container) =>
    [
      ...(container.envFrom ?? []).map((source) => (secrets ? source.secretRef?.name : source.configMapRef?.name)),
      ...(container.env ?? []).map(({ valueFrom }) =>
        secrets ? valueFrom?.secretKeyRef?.name : valueFrom?.configMapKeyRef?.name,
      ),
    ].includes(name),
  )
}

const volumeSecrets = ({ secret, projected }: Volume): (string | undefined)[] => [
  secret?.secretName,
  ...(projected?.sources ?? []).map((source) => source.secret?.name),
]
const volumeConfigMaps = ({ configMap, projected }: Volume): (string | undefined)[] => [
  configMap?.name,
  ...(projected?.sources ?? []).map((source) => source.configMap?.name),
]
