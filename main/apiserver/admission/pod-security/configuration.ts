// PodSecurityConfiguration: what holds for namespaces without labels, and who is not asked.
import type { AdmissionAttributes } from '../admission.ts'
import { type PluginConfiguration, requireKind } from '../configuration.ts'
import { isLevelName, isVersionName, modes, type Policy, type Standard } from './policy.ts'

export interface PodSecurityConfiguration {
  readonly defaults: Policy['standards']
  readonly exempt: Readonly<Record<'usernames' | 'runtimeClasses' | 'namespaces', ReadonlySet<string>>>
}

interface Content {
  readonly defaults?: Readonly<Record<string, string>>
  readonly exemptions?: Readonly<Partial<Record<'usernames' | 'runtimeClasses' | 'namespaces', readonly string[]>>>
}

export function readPodSecurity(configuration: PluginConfiguration | undefined): PodSecurityConfiguration {
  if (configuration !== undefined)
    requireKind(configuration, 'pod-security.admission.config.k8s.io', 'PodSecurityConfiguration')
  const { defaults = {}, exemptions = {} }: Content = configuration?.content ?? {}
  const standardOf = (mode: string): Standard => {
    const { [mode]: level = 'privileged', [`${mode}-version`]: version = 'latest' } = defaults
    if (!isLevelName(level)) throw new Error(`defaults.${mode}: Invalid value: ${JSON.stringify(level)}`)
    if (!isVersionName(version)) throw new Error(`defaults.${mode}-version: Invalid value: ${JSON.stringify(version)}`)
    return { level, version }
  }
  const namesOf = (field: keyof PodSecurityConfiguration['exempt']): ReadonlySet<string> => {
    const names = exemptions[field] ?? []
    const wrong = names.findIndex((name, index) => name === '' || names.indexOf(name) < index)
    if (wrong >= 0)
      throw new Error(`exemptions.${field}[${String(wrong)}]: Invalid value: ${JSON.stringify(names[wrong])}`)
    return new Set(names)
  }
  return {
    defaults: Object.fromEntries(modes.map((mode) => [mode, standardOf(mode)])) as Policy['standards'],
    exempt: {
      usernames: namesOf('usernames'),
      runtimeClasses: namesOf('runtimeClasses'),
      namespaces: namesOf('namespaces'),
    },
  }
}

/** Why a pod of the request is not asked about; undefined when it is. */
export function exemptionOf(
  { exempt }: PodSecurityConfiguration,
  { namespace, request }: AdmissionAttributes,
  runtimeClass: string | undefined,
): 'namespace' | 'user' | 'runtimeClass' | undefined {
  if (exempt.namespaces.has(namespace)) return 'namespace'
  if (exempt.usernames.has(request.user.name)) return 'user'
  return runtimeClass !== undefined && exempt.runtimeClasses.has(runtimeClass) ? 'runtimeClass' : undefined
}
