// What is read of priority and fairness when /metrics is asked, under upstream's names.
import type { Histogram } from '../../../common/machinery/histogram.ts'
import { histogramSamples, label, type Gauge } from '../metrics.ts'
import type { FlowCounters } from './counters.ts'
import type { PriorityLevel } from './priority-level.ts'

const prefix = 'apiserver_flowcontrol_'

/** What there is to read. */
export interface FlowReadings {
  readonly levels: readonly PriorityLevel[]
  readonly counters: readonly FlowCounters[]
  readonly inFlight: { readonly reads: number; readonly writes: number }
  readonly fairFraction: number
}

export function flowGauges(control: FlowReadings): readonly Gauge[] {
  const ofLevel = (name: string, help: string, value: (level: PriorityLevel) => number): Gauge => ({
    name: `${prefix}${name}`,
    help,
    read: () =>
      control.levels.map((level) => ({ labels: `priority_level="${label(level.name)}"`, value: value(level) })),
  })
  const ofFlow = (
    name: string,
    help: string,
    value: (counters: FlowCounters) => number,
    type: 'counter' | 'gauge' = 'gauge',
  ): Gauge => ({
    name: `${prefix}${name}`,
    help,
    type,
    read: () =>
      control.counters.filter(isUsed).map((counters) => ({ labels: flowLabels(counters), value: value(counters) })),
  })
  const histogram = (
    name: string,
    help: string,
    parts: (counters: FlowCounters) => readonly (readonly [labels: string, Histogram])[],
  ): Gauge => ({
    name: `${prefix}${name}`,
    help,
    type: 'histogram',
    read: () =>
      control.counters.flatMap((counters) =>
        parts(counters).flatMap(([more, each]) => histogramSamples(`${flowLabels(counters)}${more}`, each)),
      ),
  })
  return [
    {
      name: 'apiserver_current_inflight_requests',
      help: 'Requests at work, by kind.',
      read: () => [
        { labels: 'request_kind="mutating"', value: control.inFlight.writes },
        { labels: 'request_kind="readOnly"', value: control.inFlight.reads },
      ],
    },
    {
      name: 'apiserver_current_inqueue_requests',
      help: 'Requests that wait for a place among those at work.',
      read: () => control.levels.reduce((sum, level) => sum + level.waiting, 0),
    },
    ofLevel('nominal_limit_seats', 'Nominal number of seats of the level.', ({ limits }) => limits.nominal),
    ofLevel('lower_limit_seats', 'Seats the level keeps when others borrow.', ({ limits }) => limits.lower),
    ofLevel('upper_limit_seats', 'Seats the level may have with what it borrows.', ({ limits }) => limits.upper),
    ofLevel('current_limit_seats', 'Seats the level has now.', ({ current }) => current),
    ofLevel('demand_seats_high_watermark', 'Most seats wanted since the last adjustment.', ({ highest }) => highest),
    ofLevel('demand_seats_smoothed', 'Seats wanted, forgotten slowly.', ({ smoothed }) => smoothed),
    ofLevel('target_seats', 'Seats the level should have.', ({ target }) => target),
    {
      name: `${prefix}seat_fair_frac`,
      help: 'Fraction of its target that every level gets.',
      read: () => control.fairFraction,
    },
    ofFlow('dispatched_requests_total', 'Requests that went to work.', ({ dispatched }) => dispatched, 'counter'),
    {
      name: `${prefix}rejected_requests_total`,
      help: 'Requests sent away, by reason.',
      type: 'counter',
      read: () =>
        control.counters.flatMap((counters) =>
          [...counters.rejected].map(([reason, value]) => ({
            labels: `${flowLabels(counters)},reason="${reason}"`,
            value,
          })),
        ),
    },
    ofFlow('current_executing_requests', 'Requests at work.', ({ executing }) => executing),
    ofFlow('current_executing_seats', 'Seats of the requests at work.', ({ executingSeats }) => executingSeats),
    ofFlow('current_inqueue_requests', 'Requests that wait.', ({ waiting }) => waiting),
    ofFlow('current_inqueue_seats', 'Seats of the requests that wait.', ({ waitingSeats }) => waitingSeats),
    ofFlow(
      'request_dispatch_no_accommodation_total',
      'Attempts to let in who was next that found too few seats.',
      ({ notAccommodated }) => notAccommodated,
      'counter',
    ),
    histogram('request_wait_duration_seconds', 'Time in the queue.', ({ waited, waitedInVain }) => [
      [',execute="true"', waited],
      [',execute="false"', waitedInVain],
    ]),
    histogram('request_execution_seconds', 'Time at work; of watches until they have begun.', (counters) => [
      [',type="regular"', counters.regular],
      [',type="watch"', counters.watches],
    ]),
    histogram('work_estimated_seats', 'Seats that requests take.', ({ seats }) => [['', seats]]),
    histogram('request_queue_length_after_enqueue', 'Length of the queue as each request sees it.', (counters) => [
      ['', counters.queueLength],
    ]),
  ]
}

const isUsed = ({ dispatched, waiting, rejected }: FlowCounters): boolean =>
  dispatched > 0 || waiting > 0 || rejected.size > 0

const flowLabels = ({ level, schema }: FlowCounters): string =>
  `flow_schema="${label(schema)}",priority_level="${label(level)}"`
