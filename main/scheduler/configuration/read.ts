// Reads a KubeSchedulerConfiguration. What this scheduler does not have is refused, not ignored.
import type { NodeAffinity } from '../../../common/api/generated/types.ts'
import type {
  FitStrategy,
  PluginChoice,
  PluginSet,
  SchedulerConfiguration,
  SchedulerProfile,
  WeightedResource,
} from './profile.ts'
import { cpuAndMemory, defaultConfiguration, defaultProfile } from './profile.ts'

const apiVersion = 'kubescheduler.config.k8s.io/v1'
const kind = 'KubeSchedulerConfiguration'

type Fields = Readonly<Record<string, unknown>>

/** Names of the plugins in plugins/index.ts, in its order. */
export const filterPlugins: readonly string[] = [
  ...['NodeUnschedulable', 'NodeName', 'TaintToleration', 'NodeAffinity', 'ImageArchitecture', 'NodePorts'],
  ...['NodeResourcesFit', 'VolumeRestrictions', 'NodeVolumeLimits', 'VolumeBinding', 'VolumeZone'],
  ...['PodTopologySpread', 'InterPodAffinity', 'DynamicResources'],
]
export const scorePlugins: readonly string[] = [
  ...['TaintToleration', 'NodeAffinity', 'ImageArchitecture', 'NodeResourcesFit', 'NodeResourcesBalancedAllocation'],
  ...['PodTopologySpread', 'InterPodAffinity', 'ImageLocality', 'DynamicResources'],
]
/** At work at points that cannot be changed here. */
const fixedPlugins = ['SchedulingGates', 'PrioritySort', 'DefaultBinder']
const preemption = 'DefaultPreemption'
const knownPlugins = new Set([...filterPlugins, ...scorePlugins, ...fixedPlugins, preemption])
/** Points at which nothing is configured but what "filter" and "score" say as well. */
const otherPoints = new Set([
  'preFilter',
  'preScore',
  'preEnqueue',
  'queueSort',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
])
/** Of a component of its own; here there is none. */
const withoutMeaning = ['parallelism', 'leaderElection', 'clientConnection', 'enableProfiling', 'enableContentionProfiling', 'delayCacheUntilActive'] // prettier-ignore

/** Throws an Error that names the field. `value` is the parsed file. */
export function readSchedulerConfiguration(value: unknown): SchedulerConfiguration {
  const config = fieldsOf(value, 'the file')
  if (config['apiVersion'] !== apiVersion || config['kind'] !== kind)
    throw new Error(`is no ${kind} of ${apiVersion} but ${String(config['kind'])} of ${String(config['apiVersion'])}`)
  const { profiles = [{}], percentageOfNodesToScore, podInitialBackoffSeconds, podMaxBackoffSeconds, ...rest } = config
  refuseOthers(rest, ['apiVersion', 'kind', ...withoutMeaning], '')
  const list = listOf(profiles, 'profiles').map((profile, i) => readProfile(profile, `profiles[${String(i)}]`))
  const names = list.map(({ schedulerName }) => schedulerName)
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i)
  if (twice >= 0)
    throw new Error(`profiles[${String(twice)}].schedulerName: Duplicate value: ${JSON.stringify(names[twice])}`)
  const { backoff } = defaultConfiguration
  const seconds = (given: unknown, field: string): number | undefined => {
    const number = numberOf(given, field, { min: 1 })
    return number === undefined ? undefined : number * 1000
  }
  return {
    profiles: list.length === 0 ? [defaultProfile] : list,
    percentageOfNodesToScore: percentageOf(percentageOfNodesToScore, 'percentageOfNodesToScore'),
    backoff: {
      initialMs: seconds(podInitialBackoffSeconds, 'podInitialBackoffSeconds') ?? backoff.initialMs,
      maxMs: seconds(podMaxBackoffSeconds, 'podMaxBackoffSeconds') ?? backoff.maxMs,
    },
  }
}

function readProfile(value: unknown, path: string): SchedulerProfile {
  const { schedulerName, plugins, pluginConfig, percentageOfNodesToScore, ...rest } = fieldsOf(value, path)
  refuseOthers(rest, [], `${path}.`)
  const points = fieldsOf(plugins ?? {}, `${path}.plugins`)
  const setOf = (point: string): PluginSet => readPluginSet(points[point], `${path}.plugins.${point}`)
  for (const point of Object.keys(points)) {
    if (['multiPoint', 'filter', 'score', 'postFilter'].includes(point)) continue
    if (!otherPoints.has(point)) throw new Error(`${path}.plugins.${point}: Unsupported value`)
    setOf(point)
  }
  const choose = (point: string): PluginChoice => [setOf('multiPoint'), setOf(point)]
  const profile: SchedulerProfile = {
    ...defaultProfile,
    schedulerName: textOf(schedulerName, `${path}.schedulerName`) ?? defaultProfile.schedulerName,
    filters: choose('filter'),
    scores: choose('score'),
    preempts: isEnabled(preemption, choose('postFilter')),
    percentageOfNodesToScore: percentageOf(percentageOfNodesToScore, `${path}.percentageOfNodesToScore`),
  }
  return listOf(pluginConfig ?? [], `${path}.pluginConfig`).reduce<SchedulerProfile>((known, entry, i) => {
    const at = `${path}.pluginConfig[${String(i)}]`
    const { name, args = {} } = fieldsOf(entry, at)
    return { ...known, ...readArguments(textOf(name, `${at}.name`) ?? '', fieldsOf(args, `${at}.args`), `${at}.args`) }
  }, profile)
}

function readPluginSet(value: unknown, path: string): PluginSet {
  const { enabled = [], disabled = [], ...rest } = fieldsOf(value ?? {}, path)
  refuseOthers(rest, [], `${path}.`)
  const read = (entry: unknown, at: string): { name: string; weight: number | undefined } => {
    const { name, weight } = fieldsOf(entry, at)
    const known = textOf(name, `${at}.name`) ?? ''
    if (known !== '*' && !knownPlugins.has(known))
      throw new Error(`${at}.name: Invalid value: ${JSON.stringify(known)}: plugin is not known`)
    return { name: known, weight: numberOf(weight, `${at}.weight`, { min: 0 }) || undefined }
  }
  return {
    enabled: listOf(enabled, `${path}.enabled`).map((entry, i) => read(entry, `${path}.enabled[${String(i)}]`)),
    disabled: listOf(disabled, `${path}.disabled`).map(
      (entry, i) => read(entry, `${path}.disabled[${String(i)}]`).name,
    ),
  }
}

const isEnabled = (name: string, choice: PluginChoice): boolean =>
  choice.reduce(
    (is, { enabled, disabled }) =>
      enabled.some((plugin) => plugin.name === name) || (is && !disabled.includes(name) && !disabled.includes('*')),
    true,
  )

/** The part of the profile that the plugin's arguments are about. */
function readArguments(plugin: string, args: Fields, path: string): Partial<SchedulerProfile> {
  const { apiVersion: _version, kind: _kind, ...own } = args
  const only = (...names: string[]): void => {
    refuseOthers(own, names, `${path}.`)
  }
  switch (plugin) {
    case 'NodeResourcesFit':
      only('scoringStrategy')
      return {
        fit: readStrategy(fieldsOf(own['scoringStrategy'] ?? {}, `${path}.scoringStrategy`), `${path}.scoringStrategy`),
      }
    case 'NodeResourcesBalancedAllocation':
      only('resources')
      return { balanced: readResources(own['resources'], `${path}.resources`) }
    case 'InterPodAffinity': {
      only('hardPodAffinityWeight')
      const weight = numberOf(own['hardPodAffinityWeight'], `${path}.hardPodAffinityWeight`, { min: 0, max: 100 })
      return weight === undefined ? {} : { hardPodAffinityWeight: weight }
    }
    case 'NodeAffinity':
      only('addedAffinity')
      return { addedAffinity: own['addedAffinity'] as NodeAffinity | undefined }
    case 'PodTopologySpread': {
      only('defaultingType', 'defaultConstraints')
      if (listOf(own['defaultConstraints'] ?? [], `${path}.defaultConstraints`).length > 0)
        throw new Error(`${path}.defaultConstraints: constraints of your own are not supported`)
      return { spreadsByDefault: own['defaultingType'] !== 'List' }
    }
    case preemption:
    case 'VolumeBinding':
    case 'DynamicResources':
      // Limits of upstream's own search: here they are as they are.
      return {}
    default:
      throw new Error(`${path}: plugin ${JSON.stringify(plugin)} takes no arguments`)
  }
}

function readStrategy(strategy: Fields, path: string): FitStrategy {
  const { type = 'LeastAllocated', resources, requestedToCapacityRatio, ...rest } = strategy
  refuseOthers(rest, [], `${path}.`)
  if (type !== 'LeastAllocated' && type !== 'MostAllocated' && type !== 'RequestedToCapacityRatio')
    throw new Error(`${path}.type: Unsupported value: ${JSON.stringify(type)}`)
  const shapePath = `${path}.requestedToCapacityRatio.shape`
  const { shape } = fieldsOf(requestedToCapacityRatio ?? {}, `${path}.requestedToCapacityRatio`)
  const points = listOf(shape ?? [], shapePath).map((point, i) => {
    const at = `${shapePath}[${String(i)}]`
    const { utilization, score } = fieldsOf(point, at)
    return {
      utilization: numberOf(utilization, `${at}.utilization`, { min: 0, max: 100 }) ?? 0,
      score: numberOf(score, `${at}.score`, { min: 0, max: 10 }) ?? 0,
    }
  })
  if (type === 'RequestedToCapacityRatio' && points.length === 0)
    throw new Error(`${shapePath}: Required value: at least one point must be specified`)
  const falling = points.findIndex(({ utilization }, i) => i > 0 && utilization <= (points[i - 1]?.utilization ?? 0))
  if (falling >= 0)
    throw new Error(
      `${shapePath}[${String(falling)}].utilization: utilization values must be sorted in increasing order`,
    )
  return { type, resources: readResources(resources, `${path}.resources`), shape: points }
}

function readResources(value: unknown, path: string): readonly WeightedResource[] {
  const resources = listOf(value ?? [], path).map((entry, i) => {
    const at = `${path}[${String(i)}]`
    const { name, weight } = fieldsOf(entry, at)
    return {
      name: textOf(name, `${at}.name`) ?? '',
      weight: numberOf(weight, `${at}.weight`, { min: 1, max: 100 }) ?? 1,
    }
  })
  return resources.length === 0 ? cpuAndMemory : resources
}

function refuseOthers(fields: Fields, known: readonly string[], prefix: string): void {
  const other = Object.keys(fields).find((name) => !known.includes(name))
  if (other !== undefined) throw new Error(`${prefix}${other}: is not supported`)
}

function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path}: is no object`)
  return value as Fields
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${path}: is no list`)
  return value
}

function textOf(value: unknown, path: string): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw new Error(`${path}: is no text`)
  return value
}

const percentageOf = (value: unknown, path: string): number | undefined =>
  numberOf(value, path, { min: 0, max: 100 }) || undefined

function numberOf(
  value: unknown,
  path: string,
  { min, max = Infinity }: { min: number; max?: number },
): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new Error(
      `${path}: Invalid value: ${JSON.stringify(value)}: not a whole number from ${String(min)}${max === Infinity ? '' : ` to ${String(max)}`}`,
    )
  return value
}
