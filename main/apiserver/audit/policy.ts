// An audit.k8s.io/v1 Policy: which requests are recorded, how much of them, at which stages.

export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof levels)[number]
export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof stages)[number]

export interface GroupResources {
  readonly group?: string
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}
export interface PolicyRule {
  readonly level: Level
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly GroupResources[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}
export interface Policy {
  readonly rules: readonly PolicyRule[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

/** All that is wrong with a parsed policy file, as "path: reason"; empty when it is good. */
export function policyProblems(value: unknown): string[] {
  if (!isObject(value)) return ['the file holds no object']
  const problems: string[] = []
  const { apiVersion, kind, rules, omitStages } = value
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy')
    problems.push(`apiVersion, kind: must be audit.k8s.io/v1 Policy, not ${String(apiVersion)} ${String(kind)}`)
  problems.push(...stageProblems('omitStages', omitStages))
  if (!Array.isArray(rules) || rules.length === 0) return [...problems, 'rules: at least one rule is needed']
  for (const [index, rule] of (rules as unknown[]).entries()) {
    const path = `rules[${String(index)}]`
    if (!isObject(rule)) {
      problems.push(`${path}: is not an object`)
      continue
    }
    if (!levels.some((level) => level === rule['level']))
      problems.push(
        `${path}.level: Unsupported value: ${JSON.stringify(rule['level'] ?? '')}: supported: ${levels.join(', ')}`,
      )
    problems.push(...stageProblems(`${path}.omitStages`, rule['omitStages']))
    const urls = (rule['nonResourceURLs'] ?? []) as readonly unknown[]
    if (urls.length > 0 && (rule['resources'] !== undefined || rule['namespaces'] !== undefined))
      problems.push(`${path}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`)
    for (const url of urls)
      if (typeof url !== 'string' || !/^(\*|\/[^*]*\*?)$/.test(url))
        problems.push(`${path}.nonResourceURLs: ${JSON.stringify(url)}: must begin with "/", with "*" only at its end`)
  }
  return problems
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const stageProblems = (path: string, value: unknown): string[] =>
  (Array.isArray(value) ? (value as unknown[]) : [])
    .filter((stage) => !stages.some((known) => known === stage))
    .map((stage) => `${path}: Unsupported value: ${JSON.stringify(stage)}: supported: ${stages.join(', ')}`)
