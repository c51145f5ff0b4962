// Contents of the /etc/hosts and /etc/resolv.conf that a pod sees.
import type { Pod } from '../../../common/api/generated/types.ts'

const managedNote = '# Kubernetes-managed hosts file.'

export function hostsFile(
  pod: Pod,
  options: { podIps: readonly string[]; hostName: string; domain: string; nodeHosts: string },
): string {
  const { podIps, hostName, domain, nodeHosts } = options
  const aliases = (pod.spec?.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`)
  const aliasLines = aliases.length === 0 ? [] : ['', '# Entries added by HostAliases.', ...aliases]
  if (pod.spec?.hostNetwork === true)
    return [`${managedNote.slice(0, -1)} (host network).`, nodeHosts.trimEnd(), ...aliasLines, ''].join('\n')
  const subdomain = pod.spec?.subdomain ?? ''
  const names =
    subdomain === '' ? hostName : `${hostName}.${subdomain}.${pod.metadata.namespace ?? ''}.svc.${domain}\t${hostName}`
  return [
    managedNote,
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIps.map((ip) => `${ip}\t${names}`),
    ...aliasLines,
    '',
  ].join('\n')
}

export interface DnsSettings {
  servers: string[]
  searches: string[]
  options: string[]
}

/** dnsPolicy and dnsConfig; "Default" is what the node itself uses. */
export function dnsSettings(pod: Pod, cluster: { dnsAddress: string; domain: string }, node: DnsSettings): DnsSettings {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst'
  const usesCluster =
    policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && pod.spec?.hostNetwork !== true)
  const namespace = pod.metadata.namespace ?? ''
  const base: DnsSettings =
    policy === 'None'
      ? { servers: [], searches: [], options: [] }
      : usesCluster
        ? {
            servers: [cluster.dnsAddress],
            searches: [`${namespace}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain, ...node.searches],
            options: ['ndots:5'],
          }
        : node
  const own = pod.spec?.dnsConfig
  if (own === undefined) return base
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? '', option]))
  for (const { name = '', value } of own.options ?? [])
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    servers: unique([...base.servers, ...(own.nameservers ?? [])]),
    searches: unique([...base.searches, ...(own.searches ?? [])]),
    options: [...options.values()],
  }
}

const unique = (values: string[]): string[] => [...new Set(values)]

/** spec.hostname, else the pod's name; cut to what Linux accepts. */
export function podHostname(pod: Pod): string {
  const hostname = pod.spec?.hostname ?? ''
  return (hostname === '' ? (pod.metadata.name ?? '') : hostname).slice(0, 63).replace(/[-.]+$/, '')
}
