// What a node agent may do, as user system:node:NAME: report about its own node and its pods, and read what those pods use.
import { parseFieldSelector } from '../../../common/machinery/fields.ts'
import { nodeNameOf } from '../admission/node-restriction/index.ts'
import type { Registry } from '../registry/context.ts'
import { type Attributes, type Authorizer, type Decision, noOpinion, type ResourceAttributes } from './authorizer.ts'
import { NodeRelations } from './node-relations.ts'
import { nodeRules } from './policy/node-rules.ts'
import { ruleAllows } from './rbac.ts'

const allowed: Decision = { allowed: true, reason: '' }
const no = (reason: string): Decision => ({ allowed: false, reason })

type Check = (node: string, attributes: ResourceAttributes) => Decision

export class NodeAuthorizer implements Authorizer {
  readonly #relations: NodeRelations
  /** By resource.group. */
  readonly #checks: Readonly<Record<string, Check>>

  constructor(registry: Registry) {
    const relations = new NodeRelations(registry)
    this.#relations = relations
    this.#checks = {
      'secrets.': this.#readOne((node, { namespace, name }) => relations.secret(node, namespace, name)),
      'configmaps.': this.#readOne((node, { namespace, name }) => relations.configMap(node, namespace, name)),
      'persistentvolumeclaims.': (node, attributes) => this.#claim(node, attributes),
      'persistentvolumes.': this.#getOne((node, { name }) => relations.volume(node, name)),
      'volumeattachments.storage.k8s.io': this.#getOne((node, { name }) => relations.attachment(node, name)),
      'resourceclaims.resource.k8s.io': this.#getOne((node, { namespace, name }) =>
        relations.resourceClaim(node, namespace, name),
      ),
      'resourceslices.resource.k8s.io': (node, attributes) => this.#slice(node, attributes),
      'serviceaccounts.': (node, attributes) => this.#account(node, attributes),
      'leases.coordination.k8s.io': ownLease,
      'csinodes.storage.k8s.io': ownCsiNode,
      'nodes.': ownNode,
      'pods.': (node, attributes) => this.#pod(node, attributes),
    }
  }

  authorize(attributes: Attributes): Decision {
    const node = nodeNameOf(attributes.user)
    if (node === undefined) return noOpinion
    if (node === '') return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`)
    if (!('path' in attributes)) {
      const check = this.#checks[`${attributes.resource}.${attributes.group}`]
      if (check !== undefined) return check(node, attributes)
    }
    return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? allowed : noOpinion
  }

  /** One by one, also lists and watches of a single name. */
  #readOne(isRelated: (node: string, attributes: ResourceAttributes) => boolean): Check {
    return (node, attributes) => {
      if (!['get', 'list', 'watch'].includes(attributes.verb)) return no('can only read resources of this type')
      if (attributes.subresource !== '') return no('cannot read subresource')
      if (attributes.namespace === '') return no('can only read namespaced object of this type')
      return related(node, attributes, isRelated)
    }
  }

  #getOne(isRelated: (node: string, attributes: ResourceAttributes) => boolean): Check {
    return (node, attributes) => {
      if (attributes.verb !== 'get') return no('can only get individual resources of this type')
      if (attributes.subresource !== '') return no('cannot get subresource')
      return related(node, attributes, isRelated)
    }
  }

  #claim(node: string, attributes: ResourceAttributes): Decision {
    const isRelated = (on: string, { namespace, name }: ResourceAttributes): boolean =>
      this.#relations.claim(on, namespace, name)
    if (attributes.subresource !== 'status') return this.#getOne(isRelated)(node, attributes)
    if (attributes.verb !== 'update' && attributes.verb !== 'patch') return no('can only get/update/patch this type')
    return related(node, attributes, isRelated)
  }

  #account(node: string, attributes: ResourceAttributes): Decision {
    const isRelated = (on: string, { namespace, name }: ResourceAttributes): boolean =>
      this.#relations.account(on, namespace, name)
    // For credentials of image registries: their plugins want to know of the account.
    if (attributes.verb === 'get') return this.#getOne(isRelated)(node, attributes)
    if (attributes.verb !== 'create' || attributes.name === '')
      return no('can only create tokens for individual service accounts')
    if (attributes.subresource !== 'token') return no('can only create token subresource of serviceaccount')
    return related(node, attributes, isRelated)
  }

  #pod(node: string, attributes: ResourceAttributes): Decision {
    const { verb, subresource, name } = attributes
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : noOpinion
    if (subresource === 'eviction') return verb === 'create' ? allowed : noOpinion
    if (subresource !== '') return noOpinion
    const isRelated = (on: string, { namespace }: ResourceAttributes): boolean =>
      this.#relations.pod(on, namespace, name)
    switch (verb) {
      // Which ones is the NodeRestriction plugin's to say.
      case 'create':
      case 'delete':
        return allowed
      case 'get':
        return related(node, attributes, isRelated)
      case 'list':
      case 'watch':
        if (selectsNode(attributes, node)) return allowed
        if (name !== '') return related(node, attributes, isRelated)
        return no('can only list/watch pods with spec.nodeName field selector')
      default:
        return noOpinion
    }
  }

  #slice(node: string, attributes: ResourceAttributes): Decision {
    if (attributes.subresource !== '') return no('cannot authorize ResourceSlice subresources')
    switch (attributes.verb) {
      case 'create':
        return allowed
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return related(node, attributes, (on, { name }) => this.#relations.slice(on, name))
      case 'list':
      case 'watch':
      case 'deletecollection':
        return selectsNode(attributes, node)
          ? allowed
          : no('can only list/watch/deletecollection resourceslices with nodeName field selector')
      default:
        return no(
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
        )
    }
  }
}

function related(
  node: string,
  attributes: ResourceAttributes,
  isRelated: (node: string, attributes: ResourceAttributes) => boolean,
): Decision {
  if (attributes.name === '') return no('No Object name found')
  return isRelated(node, attributes) ? allowed : no(`no relationship found between node '${node}' and this object`)
}

const selectsNode = ({ fieldSelector }: ResourceAttributes, node: string): boolean => {
  try {
    return parseFieldSelector(fieldSelector ?? '').some(
      ({ field, operator, value }) => field === 'spec.nodeName' && operator === '=' && value === node,
    )
  } catch {
    return false
  }
}

const ownVerbs = ['get', 'create', 'update', 'patch', 'delete']

function ownLease(node: string, { verb, namespace, name }: ResourceAttributes): Decision {
  if (!ownVerbs.includes(verb)) return no('can only get, create, update, patch, or delete a node lease')
  if (namespace !== 'kube-node-lease') return no('can only access leases in the "kube-node-lease" system namespace')
  if (verb !== 'create' && name !== node)
    return no('can only access node lease with the same name as the requesting node')
  return allowed
}

function ownCsiNode(node: string, { verb, subresource, name }: ResourceAttributes): Decision {
  if (!ownVerbs.includes(verb)) return no('can only get, create, update, patch, or delete a CSINode')
  if (subresource !== '') return no('cannot authorize CSINode subresources')
  if (verb !== 'create' && name !== node) return no('can only access CSINode with the same name as the requesting node')
  return allowed
}

function ownNode(node: string, { verb, subresource, name }: ResourceAttributes): Decision {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : noOpinion
  if (subresource !== '') return noOpinion
  switch (verb) {
    // Which ones is the NodeRestriction plugin's to say.
    case 'create':
    case 'update':
    case 'patch':
      return allowed
    case 'get':
    case 'list':
    case 'watch':
      if (name === node) return allowed
      return no(
        name === ''
          ? `node '${node}' cannot read all nodes, only its own Node object`
          : `node '${node}' cannot read '${name}', only its own Node object`,
      )
    default:
      return noOpinion
  }
}
