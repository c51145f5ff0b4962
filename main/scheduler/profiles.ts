// The profiles of a scheduler at work: each decides for the pods that name it, by its own plugins and in its own name.
import type { KubeClient } from '../../common/client/client.ts'
import type { EventRecorder } from '../../common/client/event-recorder.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import type { Binder } from './binder.ts'
import { createBinder } from './binder.ts'
import type { SchedulerConfiguration } from './configuration/profile.ts'
import type { FilterPlugin } from './framework/plugin.ts'
import type { Plugins, PluginSources } from './plugins/index.ts'
import { newPlugins } from './plugins/index.ts'
import type { PreemptOptions } from './preemption/preempt.ts'
import type { PodFacts } from './state/pod-facts.ts'

export interface Profile {
  plugins: Plugins
  events: EventRecorder
  binder: Binder
  preempting: PreemptOptions
  preempts: boolean
  percentageOfNodesToScore: number | undefined
}

export class Profiles {
  readonly #byName: ReadonlyMap<string, Profile>
  readonly #recorders: readonly EventRecorder[]

  constructor(
    { profiles, percentageOfNodesToScore }: SchedulerConfiguration,
    tools: { client: KubeClient; clock: Clock; logger: Logger; sources: PluginSources },
  ) {
    const { client, clock, logger, sources } = tools
    const recorders: EventRecorder[] = []
    this.#byName = new Map(
      profiles.map((profile) => {
        const { schedulerName } = profile
        const events = createEventRecorder({ client, component: schedulerName, clock, logger })
        recorders.push(events)
        const onError = (message: string, error: unknown): void => {
          logger.warn(message, { error })
        }
        return [
          schedulerName,
          {
            plugins: newPlugins(sources, profile),
            events,
            binder: createBinder({ client, events, clock, onError }),
            preempting: { client, events, clock, schedulerName },
            preempts: profile.preempts,
            percentageOfNodesToScore: profile.percentageOfNodesToScore ?? percentageOfNodesToScore,
          },
        ]
      }),
    )
    this.#recorders = recorders
  }

  /** Those of all profiles, each name once: what may help a pod is the same in all of them. */
  get filters(): FilterPlugin[] {
    const all = [...this.#byName.values()].flatMap(({ plugins }) => plugins.filters)
    return [...new Map(all.map((plugin) => [plugin.name, plugin])).values()]
  }

  has(schedulerName: string): boolean {
    return this.#byName.has(schedulerName)
  }

  of({ pod }: PodFacts): Profile {
    const profile = this.#byName.get(schedulerNameOf(pod))
    if (profile === undefined) throw new Error(`there is no profile ${schedulerNameOf(pod)}`)
    return profile
  }

  async flush(): Promise<void> {
    await Promise.all(this.#recorders.map((events) => events.flush()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#recorders.map((events) => events.stop()))
  }
}

export const schedulerNameOf = ({ spec }: PodFacts['pod']): string => spec?.schedulerName ?? 'default-scheduler'
