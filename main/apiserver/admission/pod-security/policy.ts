// A namespace's Pod Security policy, read from its labels, and what it says about a pod.
import { type FieldError, invalidValue } from '../../../../common/machinery/field-error.ts'
import { kubernetesVersion } from '../../../../common/api/kubernetes-version.ts'
import { baselineChecks } from './baseline-checks.ts'
import type { PodParts, Violation } from './check.ts'
import { restrictedChecks } from './restricted-checks.ts'

const levels = ['privileged', 'baseline', 'restricted'] as const
export type Level = (typeof levels)[number]
export const rankOf = (level: Level): number => levels.indexOf(level)

export interface Standard {
  readonly level: Level
  /** "latest" or "v1.30". */
  readonly version: string
}

export type Mode = 'enforce' | 'audit' | 'warn'
export interface Policy {
  readonly standards: Readonly<Record<Mode, Standard>>
  readonly errors: readonly FieldError[]
}

const kubernetesMinor = Number(kubernetesVersion.split('.')[1])
const prefix = 'pod-security.kubernetes.io/'
export const modes: readonly Mode[] = ['enforce', 'audit', 'warn']

/** Wrong labels count as the strictest they could mean. `defaults`: what the labels do not say. */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy['standards'] = privileged,
): Policy {
  const errors: FieldError[] = []
  const standards = { ...defaults }
  for (const mode of modes) {
    const levelLabel = `${prefix}${mode}`
    const versionLabel = `${levelLabel}-version`
    const level = labels?.[levelLabel]
    const version = labels?.[versionLabel]
    if (level === undefined && version === undefined) continue
    const isLevel = level === undefined || isLevelName(level)
    if (!isLevel)
      errors.push(invalidValue(`metadata.labels[${levelLabel}]`, level, `must be one of ${levels.join(', ')}`))
    const isVersion = version === undefined || isVersionName(version)
    if (!isVersion) errors.push(invalidValue(`metadata.labels[${versionLabel}]`, version, 'must be "latest" or "v1.x"'))
    standards[mode] = {
      level: level === undefined ? defaults[mode].level : isLevel ? level : 'restricted',
      version: version === undefined ? defaults[mode].version : isVersion ? version : 'latest',
    }
  }
  // Whoever enforces a standard is warned of what a controller's pods will meet, unless the labels say otherwise.
  if (labels?.[`${prefix}warn`] === undefined && rankOf(standards.enforce.level) > rankOf(standards.warn.level))
    standards.warn = standards.enforce
  return { standards, errors }
}

export const isLevelName = (text: string): text is Level => levels.some((level) => level === text)
export const isVersionName = (text: string): boolean => text === 'latest' || /^v1\.(?:0|[1-9]\d*)$/.test(text)

const unlabelled: Standard = { level: 'privileged', version: 'latest' }
const privileged = { enforce: unlabelled, audit: unlabelled, warn: unlabelled }

export const nameOf = ({ level, version }: Standard): string => `${level}:${version}`

export const sameStandard = (a: Standard, b: Standard): boolean => a.level === b.level && a.version === b.version

export function violationsOf({ level, version }: Standard, pod: PodParts): Violation[] {
  if (level === 'privileged') return []
  const minor = version === 'latest' ? kubernetesMinor : Math.min(Number(version.slice('v1.'.length)), kubernetesMinor)
  const checks =
    level === 'baseline'
      ? [
          ...baselineChecks.filter(({ covered }) => covered === undefined),
          ...baselineChecks.filter(({ covered }) => covered === true),
        ]
      : [...baselineChecks.filter(({ covered }) => covered === undefined), ...restrictedChecks]
  return checks.flatMap(({ since = 0, of }) => (minor >= since ? (of(pod, minor) ?? []) : []))
}

export const describeViolations = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
