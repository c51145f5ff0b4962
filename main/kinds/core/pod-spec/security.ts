// Validation of security contexts.
import type {
  AppArmorProfile,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
} from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { unsupported } from '../../validation/values.ts'
import { checkDescendingPath } from './paths.ts'

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

/** User and group ids are 31-bit. */
function checkId(errors: FieldError[], path: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > 2_147_483_647)) {
    errors.push(invalidValue(path, id, 'must be between 0 and 2147483647, inclusive'))
  }
}

export interface PodNamespaces {
  readonly hostPID: boolean
  readonly hostNetwork: boolean
  readonly hostIPC: boolean
  readonly shareProcessNamespace: boolean
}

export function checkPodSecurityContext(
  errors: FieldError[],
  path: string,
  context: PodSecurityContext,
  shared: PodNamespaces,
): void {
  checkId(errors, `${path}.fsGroup`, context.fsGroup)
  checkId(errors, `${path}.runAsUser`, context.runAsUser)
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup)
  context.supplementalGroups?.forEach((group, index) => {
    checkId(errors, `${path}.supplementalGroups[${String(index)}]`, group)
  })
  if (shared.shareProcessNamespace && shared.hostPID) {
    errors.push(
      invalidValue(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    )
  }
  checkSysctls(errors, `${path}.sysctls`, context, shared)
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = context
  checkChoice(errors, `${path}.fsGroupChangePolicy`, fsGroupChangePolicy, ['Always', 'OnRootMismatch'])
  checkSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile)
  checkAppArmor(errors, `${path}.appArmorProfile`, context.appArmorProfile)
  checkChoice(errors, `${path}.supplementalGroupsPolicy`, supplementalGroupsPolicy, ['Merge', 'Strict'])
  checkChoice(errors, `${path}.seLinuxChangePolicy`, seLinuxChangePolicy, ['MountOption', 'Recursive'])
}

function checkChoice(errors: FieldError[], path: string, value: string | undefined, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value)) errors.push(notSupported(path, value, choices))
}

function checkSysctls(
  errors: FieldError[],
  path: string,
  { sysctls = [] }: PodSecurityContext,
  shared: PodNamespaces,
): void {
  const names = new Set<string>()
  sysctls.forEach(({ name }, index) => {
    const at = `${path}[${String(index)}].name`
    if (!name) errors.push(required(at))
    else if (name.length > 253 || !sysctlName.test(name)) {
      errors.push(invalidValue(at, name, `must have at most 253 characters and match regex ${sysctlName.source}`))
    } else if (names.has(name)) errors.push(duplicate(at, name))
    names.add(name)
    const dotted = (name || '').replaceAll('/', '.')
    if (shared.hostNetwork && dotted.startsWith('net.')) {
      errors.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"))
    }
    if (shared.hostIPC && /^(kernel\.(msg|sem|shm)|fs\.mqueue\.)/.test(dotted)) {
      errors.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"))
    }
  })
}

export function checkSecurityContext(
  errors: FieldError[],
  path: string,
  context: SecurityContext,
  hostUsers: boolean,
): void {
  checkId(errors, `${path}.runAsUser`, context.runAsUser)
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup)
  const { procMount, privileged, allowPrivilegeEscalation, capabilities } = context
  if (procMount !== undefined) {
    if (procMount !== 'Default' && procMount !== 'Unmasked') {
      errors.push(unsupported(`${path}.procMount`, procMount, ['Default', 'Unmasked']))
    }
    if (hostUsers && procMount === 'Unmasked') {
      errors.push(invalidValue(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
    }
  }
  checkSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile)
  if (allowPrivilegeEscalation === false) {
    const refuse = 'cannot set `allowPrivilegeEscalation` to false and'
    if (privileged === true) errors.push(invalidValue(path, context, `${refuse} \`privileged\` to true`))
    if (capabilities?.add?.includes('CAP_SYS_ADMIN') === true) {
      errors.push(invalidValue(path, context, `${refuse} \`capabilities.Add\` CAP_SYS_ADMIN`))
    }
  }
  checkAppArmor(errors, `${path}.appArmorProfile`, context.appArmorProfile)
}

function checkSeccomp(errors: FieldError[], path: string, profile: SeccompProfile | undefined): void {
  if (profile === undefined) return
  const { type, localhostProfile } = profile
  if (!type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!profileTypes.includes(type)) errors.push(unsupported(`${path}.type`, type, profileTypes))
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      errors.push(invalidValue(`${path}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'))
    }
  } else if (localhostProfile === undefined) {
    errors.push(required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'))
  } else {
    checkDescendingPath(errors, `${path}.localhostProfile`, localhostProfile)
  }
}

function checkAppArmor(errors: FieldError[], path: string, profile: AppArmorProfile | undefined): void {
  if (profile === undefined) return
  const { type, localhostProfile } = profile
  const at = `${path}.localhostProfile`
  if (!type) errors.push(required(`${path}.type`, 'type is required when appArmorProfile is set'))
  else if (!profileTypes.includes(type)) errors.push(unsupported(`${path}.type`, type, profileTypes))
  else if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      errors.push(invalidValue(at, localhostProfile, 'can only be set when AppArmor type is Localhost'))
  } else if (localhostProfile === undefined || localhostProfile === '') {
    errors.push(required(at, 'must be set when AppArmor type is Localhost'))
  } else {
    if (localhostProfile.trim() !== localhostProfile)
      errors.push(invalidValue(at, localhostProfile, 'must not be padded with whitespace'))
    if (localhostProfile.length > 4095) errors.push(tooLong(at, 4095))
  }
}

/** A pod that names its operating system must not use settings of the other one. */
export function checkOperatingSystem(
  errors: FieldError[],
  path: string,
  system: string,
  contexts: readonly { path: string; context: PodSecurityContext | SecurityContext | undefined }[],
): void {
  if (system !== 'linux' && system !== 'windows') {
    if (system === '') errors.push(required(`${path}.os.name`))
    else errors.push(notSupported(`${path}.os`, system, ['linux', 'windows']))
    return
  }
  for (const { path: at, context } of contexts) {
    if (context === undefined) continue
    for (const field of Object.keys(context)) {
      const windowsField = field === 'windowsOptions'
      if (system === 'linux' && windowsField) {
        errors.push(forbiddenField(`${at}.windowsOptions`, 'windows options cannot be set for a linux pod'))
      } else if (system === 'windows' && !windowsField && field !== 'runAsNonRoot') {
        errors.push(forbiddenField(`${at}.${field}`, 'cannot be set for a windows pod'))
      }
    }
  }
}
