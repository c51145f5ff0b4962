// The baseline standard: known ways out of a container are closed. https://kubernetes.io/docs/concepts/security/pod-security-standards/
import type { Container, SELinuxOptions } from '../../../../common/api/generated/types.ts'
import { type Check, containerNames, containersOf, namesOf, plural, quoted, settersOf, sortedUnique } from './check.ts'

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

const appArmorProfile: Check = {
  level: 'baseline',
  of: ({ metadata, spec }) => {
    const annotated = Object.entries(metadata.annotations ?? {})
      .filter(
        ([key, value]) =>
          key.startsWith(appArmorPrefix) &&
          value !== '' &&
          value !== 'runtime/default' &&
          !value.startsWith('localhost/'),
      )
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .sort()
    const isBad = (type: string | undefined): boolean =>
      type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost'
    const podType = spec.securityContext?.appArmorProfile?.type
    const bad = containersOf(spec).filter(({ securityContext }) => isBad(securityContext?.appArmorProfile?.type))
    const types = sortedUnique([
      ...(isBad(podType) ? [podType ?? ''] : []),
      ...bad.map(({ securityContext }) => securityContext?.appArmorProfile?.type ?? ''),
    ])
    const setters = settersOf(isBad(podType), namesOf(bad))
    const details = [
      ...(setters === '' ? [] : [`${setters} must not set securityContext.appArmorProfile.type to ${quoted(types)}`]),
      ...annotated,
    ]
    if (details.length === 0) return undefined
    return { reason: plural('forbidden AppArmor profile', types.length + annotated.length), detail: details.join(', ') }
  },
}

const defaultCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
)

const capabilities: Check = {
  level: 'baseline',
  covered: true,
  of: ({ spec }) => {
    const added = ({ securityContext }: Container): string[] =>
      (securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name))
    const bad = containersOf(spec).filter((container) => added(container).length > 0)
    if (bad.length === 0) return undefined
    return {
      reason: 'non-default capabilities',
      detail: `${containerNames(namesOf(bad))} must not include ${quoted(sortedUnique(bad.flatMap(added)))} in securityContext.capabilities.add`,
    }
  },
}

const hostNamespaces: Check = {
  level: 'baseline',
  of: ({ spec }) => {
    const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true)
    return set.length === 0
      ? undefined
      : { reason: 'host namespaces', detail: set.map((field) => `${field}=true`).join(', ') }
  },
}

const hostPathVolumes: Check = {
  level: 'baseline',
  covered: true,
  of: ({ spec }) => {
    const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name)
    return names.length === 0
      ? undefined
      : { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` }
  },
}

const hostPorts: Check = {
  level: 'baseline',
  of: ({ spec }) => {
    const used = ({ ports }: Container): number[] =>
      (ports ?? []).map(({ hostPort }) => hostPort ?? 0).filter((port) => port !== 0)
    const bad = containersOf(spec).filter((container) => used(container).length > 0)
    if (bad.length === 0) return undefined
    const ports = sortedUnique(bad.flatMap(used).map(String))
    return {
      reason: 'hostPort',
      detail: `${containerNames(namesOf(bad))} ${bad.length === 1 ? 'uses' : 'use'} ${plural('hostPort', ports.length)} ${ports.join(', ')}`,
    }
  },
}

const hostProbes: Check = {
  level: 'baseline',
  since: 34,
  of: ({ spec }) => {
    const hosts = (container: Container): string[] => {
      const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
      return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
        .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
        .filter((host): host is string => host !== undefined && host !== '')
    }
    const bad = containersOf(spec).filter((container) => hosts(container).length > 0)
    if (bad.length === 0) return undefined
    return {
      reason: 'probe or lifecycle host',
      detail: `${containerNames(namesOf(bad))} ${bad.length === 1 ? 'uses' : 'use'} probe or lifecycle ${plural('host', sortedUnique(bad.flatMap(hosts)).length)} ${quoted(sortedUnique(bad.flatMap(hosts)))}`,
    }
  },
}

const privileged: Check = {
  level: 'baseline',
  of: ({ spec }) => {
    const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.privileged === true)
    return bad.length === 0
      ? undefined
      : { reason: 'privileged', detail: `${containerNames(namesOf(bad))} must not set securityContext.privileged=true` }
  },
}

const procMount: Check = {
  level: 'baseline',
  of: ({ spec }, version) => {
    if (version >= 35 && spec.hostUsers === false) return undefined
    const mountOf = ({ securityContext }: Container): string => securityContext?.procMount ?? 'Default'
    const bad = containersOf(spec).filter((container) => mountOf(container) !== 'Default')
    return bad.length === 0
      ? undefined
      : {
          reason: 'procMount',
          detail: `${containerNames(namesOf(bad))} must not set securityContext.procMount to ${quoted(sortedUnique(bad.map(mountOf)))}`,
        }
  },
}

const seLinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t'])
const engineType = 'container_engine_t'

const seLinuxOptions: Check = {
  level: 'baseline',
  of: ({ spec }, version) => {
    const isType = (type: string): boolean => seLinuxTypes.has(type) || (version >= 31 && type === engineType)
    const isBad = (options: SELinuxOptions | undefined): boolean =>
      options !== undefined &&
      (!isType(options.type ?? '') || (options.user ?? '') !== '' || (options.role ?? '') !== '')
    const podOptions = spec.securityContext?.seLinuxOptions
    const bad = containersOf(spec).filter(({ securityContext }) => isBad(securityContext?.seLinuxOptions))
    const setters = settersOf(isBad(podOptions), namesOf(bad))
    if (setters === '') return undefined
    const all = [podOptions, ...bad.map(({ securityContext }) => securityContext?.seLinuxOptions)]
    const types = sortedUnique(all.map((options) => options?.type ?? '').filter((type) => !isType(type)))
    const data = [
      ...(types.length > 0 ? [`${plural('type', types.length)} ${quoted(types)}`] : []),
      ...(all.some((options) => (options?.user ?? '') !== '') ? ['user may not be set'] : []),
      ...(all.some((options) => (options?.role ?? '') !== '') ? ['role may not be set'] : []),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
    }
  },
}

export const isSeccompType = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost'

const seccompProfile: Check = {
  level: 'baseline',
  covered: true,
  since: 19,
  of: ({ spec }) => {
    const podProfile = spec.securityContext?.seccompProfile
    const podIsBad = podProfile !== undefined && !isSeccompType(podProfile.type)
    const bad = containersOf(spec).filter(({ securityContext }) => {
      const profile = securityContext?.seccompProfile
      return profile !== undefined && !isSeccompType(profile.type)
    })
    const setters = settersOf(podIsBad, namesOf(bad))
    if (setters === '') return undefined
    const types = sortedUnique([
      ...(podIsBad ? [podProfile.type] : []),
      ...bad.map(({ securityContext }) => securityContext?.seccompProfile?.type ?? ''),
    ])
    return {
      reason: 'seccompProfile',
      detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
    }
  },
}

const safeSysctls: readonly (readonly [name: string, since: number])[] = [
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
  ['net.ipv4.tcp_rmem', 32],
  ['net.ipv4.tcp_wmem', 32],
]

const sysctls: Check = {
  level: 'baseline',
  of: ({ spec }, version) => {
    const safe = new Set(safeSysctls.filter(([, since]) => version >= since).map(([name]) => name))
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.has(name))
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
  },
}

const windowsHostProcess: Check = {
  level: 'baseline',
  of: ({ spec }) => {
    const podIsBad = spec.securityContext?.windowsOptions?.hostProcess === true
    const bad = containersOf(spec).filter(
      ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true,
    )
    const setters = settersOf(podIsBad, namesOf(bad))
    return setters === ''
      ? undefined
      : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` }
  },
}

export const baselineChecks: readonly Check[] = [
  appArmorProfile,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfile,
  sysctls,
  windowsHostProcess,
]
