// What may change in a pod's status: nothing that would bring back the dead.
import type { ContainerStatus, Pod } from '../../../../common/api/generated/types.ts'
import { duplicate, forbiddenField, invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { familyOf } from '../../../../common/machinery/addresses.ts'
import { checkAddress, isAddress } from '../../validation/ip.ts'
import { checkName, isDnsSubdomain, isQualifiedName } from '../../validation/names.ts'
import { checkImmutable } from '../../validation/values.ts'

export function checkPodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = []
  const { status = {} } = pod
  const before = old.status ?? {}
  status.conditions?.forEach(({ type }, index) => {
    if (type === 'PodScheduled' || type === 'Ready' || type === 'Initialized') return
    checkName(errors, `metadata.conditions[${String(index)}].Type`, type, isQualifiedName)
  })
  if (status.nominatedNodeName !== before.nominatedNodeName && status.nominatedNodeName) {
    checkName(errors, 'status.nominatedNodeName', status.nominatedNodeName, isDnsSubdomain)
  }
  checkImmutable(errors, 'status.qosClass', status.qosClass, before.qosClass)
  const policy = old.spec?.restartPolicy
  const sidecars = new Set(
    (old.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name),
  )
  const own = new Map(
    [...(old.spec?.containers ?? []), ...(old.spec?.initContainers ?? [])].map((c) => [c.name, c.restartPolicy]),
  )
  const policyOf = (name: string): string | undefined => (sidecars.has(name) ? 'Always' : (own.get(name) ?? policy))
  for (const field of ['containerStatuses', 'initContainerStatuses'] as const) {
    checkStaysTerminated(errors, `status.${field}`, status[field], before[field], policyOf)
  }
  // Ephemeral containers are never restarted.
  const never = (): string => 'Never'
  checkStaysTerminated(
    errors,
    'status.ephemeralContainerStatuses',
    status.ephemeralContainerStatuses,
    before.ephemeralContainerStatuses,
    never,
  )
  checkAddresses(errors, 'status.podIPs', status.podIPs ?? [])
  const hostIP = status.hostIPs?.[0]?.ip
  if (hostIP !== undefined && status.hostIP !== hostIP) {
    errors.push(invalidValue('status.hostIPs[0].ip', hostIP, 'must be equal to `hostIP`'))
  }
  checkAddresses(errors, 'status.hostIPs', status.hostIPs ?? [])
  return errors
}

function checkStaysTerminated(
  errors: FieldError[],
  path: string,
  statuses: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  policyOf: (name: string) => string | undefined,
): void {
  old?.forEach(({ name, state }, index) => {
    const policy = policyOf(name)
    if (state?.terminated === undefined || policy === 'Always') return
    if (state.terminated.exitCode !== 0 && policy === 'OnFailure') return
    if (statuses?.some((status) => status.name === name && status.state?.terminated === undefined) === true) {
      errors.push(forbiddenField(`${path}[${String(index)}].state`, 'may not be transitioned to non-terminated state'))
    }
  })
}

/** At most one of each family. */
function checkAddresses(errors: FieldError[], path: string, addresses: readonly { ip?: string }[]): void {
  const seen = new Set<string>()
  addresses.forEach(({ ip = '' }, index) => {
    checkAddress(errors, `${path}[${String(index)}]`, ip)
    if (addresses.length > 1 && seen.has(ip)) errors.push(duplicate(`${path}[${String(index)}]`, { ip }))
    seen.add(ip)
  })
  const families = addresses
    .map(({ ip = '' }) => ip)
    .filter(isAddress)
    .map(familyOf)
  if (new Set(families).size < families.length) {
    errors.push(invalidValue(path, addresses, 'may specify no more than one IP for each IP family'))
  }
}
