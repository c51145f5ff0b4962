// Attribute-based access control: a file of policies, one JSON object a line, each of which allows something to somebody.
import type { UserInfo } from '../user-info.ts'
import { type Attributes, type Authorizer, type Decision } from '../authorizer.ts'

export interface AbacPolicy {
  readonly user?: string
  readonly group?: string
  readonly readonly?: boolean
  readonly apiGroup?: string
  readonly resource?: string
  readonly namespace?: string
  readonly nonResourcePath?: string
}

const apiVersion = 'abac.authorization.kubernetes.io/v1beta1'
const reading = new Set(['get', 'list', 'watch'])
const allowed: Decision = { allowed: true, reason: '' }
const nothingMatched: Decision = { allowed: false, reason: 'No policy matched.' }

/** Throws an Error that names the line. */
export function parseAbacPolicies(text: string): AbacPolicy[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.trim().startsWith('#')) return []
    try {
      return [parsePolicy(JSON.parse(line))]
    } catch (error) {
      throw new Error(`line ${String(index + 1)}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  })
}

function parsePolicy(value: unknown): AbacPolicy {
  if (typeof value !== 'object' || value === null) throw new Error('is no object')
  const { kind, apiVersion: version, spec } = value as { kind?: unknown; apiVersion?: unknown; spec?: AbacPolicy }
  if (version !== apiVersion || kind !== 'Policy') throw new Error(`is no Policy of ${apiVersion}`)
  return spec ?? {}
}

export class AbacAuthorizer implements Authorizer {
  readonly #policies: readonly AbacPolicy[]

  constructor(policies: readonly AbacPolicy[]) {
    this.#policies = policies
  }

  authorize(attributes: Attributes): Decision {
    return this.#policies.some((policy) => matches(policy, attributes)) ? allowed : nothingMatched
  }
}

function matches(policy: AbacPolicy, attributes: Attributes): boolean {
  if (!subjectMatches(policy, attributes.user)) return false
  if (policy.readonly === true && !reading.has(attributes.verb)) return false
  if ('path' in attributes) {
    const { nonResourcePath = '' } = policy
    return (
      nonResourcePath === attributes.path ||
      (nonResourcePath.endsWith('*') && attributes.path.startsWith(nonResourcePath.replace(/\*+$/, '')))
    )
  }
  const { namespace, resource, group } = attributes
  return isOrAll(policy.namespace, namespace) && isOrAll(policy.resource, resource) && isOrAll(policy.apiGroup, group)
}

const isOrAll = (wanted = '', value: string): boolean => wanted === '*' || wanted === value

/** Who is named must match; a policy that names nobody is nobody's. */
function subjectMatches({ user = '', group = '' }: AbacPolicy, { name, groups }: UserInfo): boolean {
  if (user === '' && group === '') return false
  return (user === '' || isOrAll(user, name)) && (group === '' || group === '*' || groups.includes(group))
}
