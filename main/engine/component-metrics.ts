// What controllers and scheduler count, for /metrics of the API server: they are one process here. Under upstream's names.
import type { Controller } from '../../common/client/controller.ts'
import { type Gauge, histogramSamples, type Sample } from '../apiserver/metrics.ts'
import type { RunningScheduler } from '../scheduler/index.ts'

type Queue = Controller['queue']

export function controllerGauges(controllers: readonly Controller[]): Gauge[] {
  const each = (
    name: string,
    type: NonNullable<Gauge['type']>,
    help: string,
    read: (queue: Queue, labels: string) => Sample[],
  ): Gauge => ({
    name: `workqueue_${name}`,
    type,
    help,
    read: () => controllers.flatMap((controller) => read(controller.queue, `name="${controller.name}"`)),
  })
  const number = (
    name: string,
    type: NonNullable<Gauge['type']>,
    help: string,
    value: (queue: Queue) => number,
  ): Gauge => each(name, type, help, (queue, labels) => [{ labels, value: value(queue) }])
  return [
    number('adds_total', 'counter', 'Keys added.', ({ counters }) => counters.adds),
    number('retries_total', 'counter', 'Keys to be tried again later.', ({ counters }) => counters.retries),
    number('depth', 'gauge', 'Keys that wait.', ({ length }) => length),
    number('unfinished_work_seconds', 'gauge', 'Time in keys at work, summed.', ({ working }) =>
      working.reduce((sum, seconds) => sum + seconds, 0),
    ),
    number('longest_running_processor_seconds', 'gauge', 'Longest time in one key at work.', ({ working }) =>
      Math.max(0, ...working),
    ),
    each('queue_duration_seconds', 'histogram', 'How long keys waited.', ({ counters }, labels) =>
      histogramSamples(labels, counters.waiting),
    ),
    each('work_duration_seconds', 'histogram', 'How long work on a key took.', ({ counters }, labels) =>
      histogramSamples(labels, counters.working),
    ),
  ]
}

const profile = 'profile="default-scheduler"'

export function schedulerGauges(scheduler: RunningScheduler): Gauge[] {
  const { counters } = scheduler
  return [
    {
      name: 'scheduler_schedule_attempts_total',
      type: 'counter',
      help: 'Tries to place a pod, by result.',
      read: () =>
        (['scheduled', 'unschedulable', 'error'] as const).map((result) => ({
          labels: `${profile},result="${result}"`,
          value: counters[result === 'error' ? 'errors' : result],
        })),
    },
    {
      name: 'scheduler_pending_pods',
      help: 'Pods that wait, by queue.',
      read: () => {
        const { active, backoff, unschedulable } = scheduler.pending()
        return Object.entries({ active, backoff, unschedulable }).map(([queue, value]) => ({
          labels: `queue="${queue}"`,
          value,
        }))
      },
    },
    {
      name: 'scheduler_scheduling_algorithm_duration_seconds',
      type: 'histogram',
      help: 'Time to decide where a pod goes.',
      read: () => histogramSamples('', counters.deciding),
    },
    {
      name: 'scheduler_pod_scheduling_sli_duration_seconds',
      type: 'histogram',
      help: "Time from a pod's arrival in the queue to its binding.",
      read: () => histogramSamples('', counters.untilBound),
    },
  ]
}
