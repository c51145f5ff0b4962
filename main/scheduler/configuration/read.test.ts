import { describe, expect, it } from 'vitest'
import { createClient } from '../../../common/client/create-client.ts'
import { createSharedInformers } from '../../../common/client/shared-informers.ts'
import { createScriptedTransport } from '../../../common/client/testing/scripted-transport.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { newPlugins } from '../plugins/index.ts'
import { openSources } from '../sources.ts'
import { choosePlugins, defaultConfiguration, defaultProfile } from './profile.ts'
import { filterPlugins, readSchedulerConfiguration, scorePlugins } from './read.ts'

const config = (change: object) => ({
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  ...change,
})
const read = (change: object) => readSchedulerConfiguration(config(change))
const profile = (change: object) => read({ profiles: [change] }).profiles[0]

describe('a scheduler configuration', () => {
  it('that says nothing is the default', () => {
    const { profiles, ...rest } = read({ leaderElection: { leaderElect: false } })
    expect(rest).toEqual({ percentageOfNodesToScore: undefined, backoff: defaultConfiguration.backoff })
    expect(profiles).toMatchObject([{ schedulerName: 'default-scheduler', preempts: true }])
  })

  it('has profiles, plugins and their arguments', () => {
    const found = read({
      podInitialBackoffSeconds: 2,
      profiles: [
        { percentageOfNodesToScore: 30 },
        {
          schedulerName: 'packing',
          plugins: { postFilter: { disabled: [{ name: '*' }] } },
          pluginConfig: [
            {
              name: 'NodeResourcesFit',
              args: {
                apiVersion: 'kubescheduler.config.k8s.io/v1',
                kind: 'NodeResourcesFitArgs',
                scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'example.com/gpu', weight: 2 }] },
              },
            },
            { name: 'InterPodAffinity', args: { hardPodAffinityWeight: 5 } },
            { name: 'PodTopologySpread', args: { defaultingType: 'List' } },
          ],
        },
      ],
    })
    expect(found).toMatchObject({
      backoff: { initialMs: 2_000, maxMs: 10_000 },
      profiles: [
        { schedulerName: 'default-scheduler', percentageOfNodesToScore: 30 },
        {
          schedulerName: 'packing',
          preempts: false,
          fit: { type: 'MostAllocated', resources: [{ name: 'example.com/gpu', weight: 2 }] },
          hardPodAffinityWeight: 5,
          spreadsByDefault: false,
        },
      ],
    })
  })

  it.each<[object, string]>([
    [{ kind: 'Pod' }, 'is no KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1 but Pod of kubescheduler.config.k8s.io/v1'],
    [{ extenders: [] }, 'extenders: is not supported'],
    [{ profiles: [{}, {}] }, 'profiles[1].schedulerName: Duplicate value: "default-scheduler"'],
    [{ profiles: [{ plugins: { score: { enabled: [{ name: 'Mine' }] } } }] }, 'profiles[0].plugins.score.enabled[0].name: Invalid value: "Mine": plugin is not known'],
    [{ profiles: [{ pluginConfig: [{ name: 'NodePorts', args: {} }] }] }, 'profiles[0].pluginConfig[0].args: plugin "NodePorts" takes no arguments'],
    [{ percentageOfNodesToScore: 101 }, 'percentageOfNodesToScore: Invalid value: 101: not a whole number from 0 to 100'],
  ])('is refused: %j', (change, message) => {
    expect(() => readSchedulerConfiguration(config(change))).toThrow(message)
  }) // prettier-ignore
})

describe('plugins of a profile', () => {
  const known = [{ name: 'NodeAffinity' }, { name: 'TaintToleration' }, { name: 'ImageLocality' }]
  const chosen = (plugins: object) =>
    choosePlugins(known, profile({ plugins })?.scores ?? []).map(({ plugin, weight }) => [plugin.name, weight])

  it.each<[string, object, unknown[]]>([
    ['all', {}, [['NodeAffinity', undefined], ['TaintToleration', undefined], ['ImageLocality', undefined]]],
    ['without some', { multiPoint: { disabled: [{ name: 'TaintToleration' }] } }, [['NodeAffinity', undefined], ['ImageLocality', undefined]]],
    ['only one', { score: { disabled: [{ name: '*' }], enabled: [{ name: 'ImageLocality', weight: 3 }] } }, [['ImageLocality', 3]]],
    ['weighed anew', { score: { enabled: [{ name: 'TaintToleration', weight: 7 }] } }, [['NodeAffinity', undefined], ['TaintToleration', 7], ['ImageLocality', undefined]]],
  ])('%s', (_, plugins, expected) => {
    expect(chosen(plugins)).toEqual(expected)
  }) // prettier-ignore
})

it('every plugin there is can be named', () => {
  const client = createClient(createScriptedTransport())
  const tools = { client, clock: systemClock }
  // Never started: nothing is asked of the server.
  const informers = createSharedInformers({ ...tools, logger: silentLogger })
  const sources = openSources({ ...tools, informers })
  sources.synced.catch(() => undefined)
  const { filters, scores } = newPlugins(sources.plugins, defaultProfile)
  expect(filters.map(({ name }) => name)).toEqual(filterPlugins)
  expect(scores.map(({ name }) => name)).toEqual(scorePlugins)
  sources.stop()
  informers.stop()
})
