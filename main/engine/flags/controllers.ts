// Flags of kube-controller-manager that change what controllers do.
import type { EngineOptions } from '../options.ts'
import { parseCidrs } from '../cluster-network.ts'
import { badValue, type EngineFlag, flag, parseBoolean, parseDuration, parseList } from './flag.ts'

type Settings = NonNullable<EngineOptions['controllerSettings']>

function setting(
  name: string,
  argument: string,
  description: string,
  read: (settings: Settings, text: string) => void,
): EngineFlag {
  return flag(name, argument, description, (options, text) => {
    read((options.controllerSettings ??= {}), text)
  })
}

function parseNumber(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  const why = `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`
  throw badValue(name, text, why, `Write --${name}=0.5, for example.`)
}

function parseInteger(name: string, text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text)
  const why = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`
  throw badValue(name, text, why, `Write --${name}=100, for example.`)
}

const maskSize = (name: string, field: 'nodeMaskSize' | 'nodeMaskSizeIPv4' | 'nodeMaskSizeIPv6', what: string) =>
  setting(name, 'bits', `prefix of a node's range of pods${what}`, (settings, text) => {
    settings[field] = parseInteger(name, text)
  })
const milliseconds = (name: string, field: 'nodeMonitorGraceMs' | 'nodeStartupGraceMs', description: string) =>
  setting(name, 'duration', description, (settings, text) => {
    settings[field] = parseDuration(name, text)
  })
const eviction = (name: string, field: keyof NonNullable<Settings['evictions']>, description: string) =>
  setting(name, 'number', description, (settings, text) => {
    settings.evictions = { ...settings.evictions, [field]: parseNumber(name, text) }
  })

export const controllerFlags: readonly EngineFlag[] = [
  setting('allocate-node-cidrs', 'bool', 'give nodes ranges for their pods (default: false)', (settings, text) => {
    settings.allocateNodeCidrs = parseBoolean('allocate-node-cidrs', text)
  }),
  setting('cluster-cidr', 'cidrs', 'ranges that nodes get theirs from (default: 10.244.0.0/16)', (settings, text) => {
    try {
      settings.clusterCidrs = parseCidrs(parseList(text))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw badValue('cluster-cidr', text, why, 'Write, for example, --cluster-cidr=10.244.0.0/16.')
    }
  }),
  maskSize('node-cidr-mask-size', 'nodeMaskSize', ' (default: 24 for IPv4, 64 for IPv6)'),
  maskSize('node-cidr-mask-size-ipv4', 'nodeMaskSizeIPv4', ', for IPv4'),
  maskSize('node-cidr-mask-size-ipv6', 'nodeMaskSizeIPv6', ', for IPv6'),
  milliseconds('node-monitor-grace-period', 'nodeMonitorGraceMs', 'silence after which a node is lost (default: 50s)'),
  milliseconds('node-startup-grace-period', 'nodeStartupGraceMs', 'the same for a new node (default: 1m0s)'),
  eviction('node-eviction-rate', 'perSecond', 'lost nodes a second that lose their pods (default: 0.1)'),
  eviction('secondary-node-eviction-rate', 'perSecondInTrouble', 'the same where many are lost (default: 0.01)'),
  eviction('unhealthy-zone-threshold', 'unhealthyShare', 'share of lost nodes that is many (default: 0.55)'),
  eviction('large-cluster-size-threshold', 'largeZone', 'nodes from which a zone is large (default: 50)'),
  setting('terminated-pod-gc-threshold', 'n', 'finished pods that are kept (default: 12500)', (settings, text) => {
    settings.terminatedPods = parseInteger('terminated-pod-gc-threshold', text)
  }),
]
