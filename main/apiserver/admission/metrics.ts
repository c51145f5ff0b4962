// What is counted of admission, under upstream's names: how long each step, plugin and webhook took, and what webhooks refused.
import { Histogram } from '../../../common/machinery/histogram.ts'
import { type Gauge, histogramSamples, label, type Sample } from '../metrics.ts'
import type { AdmissionAttributes, AdmissionPlugin, Operation } from './admission.ts'

export type StepType = 'admit' | 'validate'

const operations: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']
const places = { CREATE: 0, UPDATE: 2, DELETE: 4, CONNECT: 6 } as const
const stepBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5]
const webhookBounds = [...stepBounds, 10, 25]

/** The durations of one thing, by operation and outcome. */
class Durations {
  readonly #bounds: readonly number[]
  readonly #histograms: Histogram[] = []

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  observe(operation: Operation, rejected: boolean, seconds: number): void {
    const index = places[operation] + (rejected ? 1 : 0)
    const histogram = (this.#histograms[index] ??= new Histogram(this.#bounds))
    histogram.observe(seconds)
  }

  samples(before: string, type: string): Sample[] {
    return operations.flatMap((operation) =>
      [false, true].flatMap((rejected) => {
        const histogram = this.#histograms[places[operation] + (rejected ? 1 : 0)]
        const labels = `${before}operation="${operation}",rejected="${String(rejected)}",type="${type}"`
        return histogram === undefined ? [] : histogramSamples(labels, histogram)
      }),
    )
  }
}

/**
 * Runs something for a request and notes how long it took and whether it refused, also when it ends later. On the way of every write:
 * makes nothing unless there is something to wait for.
 */
function timed<T>(
  durations: Durations,
  attributes: AdmissionAttributes,
  run: (attributes: AdmissionAttributes) => T,
): T {
  const from = performance.now()
  const { operation } = attributes
  let result: T
  try {
    result = run(attributes)
  } catch (error) {
    durations.observe(operation, true, secondsSince(from))
    throw error
  }
  if (result instanceof Promise)
    result.then(
      () => {
        durations.observe(operation, false, secondsSince(from))
      },
      () => {
        durations.observe(operation, true, secondsSince(from))
      },
    )
  else durations.observe(operation, false, secondsSince(from))
  return result
}

const secondsSince = (from: number): number => (performance.now() - from) / 1000

export interface WebhookOutcome {
  readonly name: string
  readonly type: 'admit' | 'validating'
  readonly operation: Operation
  readonly seconds: number
  readonly code: number
  /** Undefined when it allowed the request, or failed and that was ignored. */
  readonly rejected?: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error'
  /** It failed and that was ignored. */
  readonly failedOpen?: boolean
}

export class AdmissionMetrics {
  readonly #steps: Readonly<Record<StepType, Durations>> = {
    admit: new Durations(stepBounds),
    validate: new Durations(stepBounds),
  }
  readonly #plugins: { name: string; type: StepType; durations: Durations }[] = []
  readonly #webhooks = new Map<string, Durations>()
  readonly #requests = new Map<string, number>()
  readonly #rejections = new Map<string, number>()
  readonly #failedOpen = new Map<string, number>()

  step<T>(type: StepType, attributes: AdmissionAttributes, run: (attributes: AdmissionAttributes) => T): T {
    return timed(this.#steps[type], attributes, run)
  }

  /** The plugin with a watch on it. */
  measured(plugin: AdmissionPlugin): AdmissionPlugin {
    const watch = <T>(type: StepType, run: (attributes: AdmissionAttributes) => T) => {
      const durations = this.#durationsOf(plugin.name, type)
      return (attributes: AdmissionAttributes): T => timed(durations, attributes, run)
    }
    return {
      ...plugin,
      ...(plugin.mutate && { mutate: watch('admit', (attributes) => plugin.mutate?.(attributes) ?? false) }),
      ...(plugin.mutateAgain && {
        mutateAgain: watch('admit', (attributes) => plugin.mutateAgain?.(attributes) ?? false),
      }),
      ...(plugin.validate && { validate: watch('validate', (attributes) => plugin.validate?.(attributes)) }),
    }
  }

  webhook({ name, type, operation, seconds, code, rejected, failedOpen }: WebhookOutcome): void {
    const key = `name="${label(name)}",type="${type}"`
    let durations = this.#webhooks.get(key)
    if (durations === undefined) this.#webhooks.set(key, (durations = new Durations(webhookBounds)))
    durations.observe(operation, rejected !== undefined, seconds)
    const shown = String(Math.min(code, 600))
    const named = `name="${label(name)}",operation="${operation}"`
    count(this.#requests, `code="${shown}",${named},rejected="${String(rejected !== undefined)}",type="${type}"`)
    if (rejected !== undefined)
      count(this.#rejections, `error_type="${rejected}",${named},rejection_code="${shown}",type="${type}"`)
    if (failedOpen === true) count(this.#failedOpen, key)
  }

  gauges(): Gauge[] {
    const prefix = 'apiserver_admission_'
    const durations = (name: string, help: string, read: () => Sample[]): Gauge => ({
      name: `${prefix}${name}_admission_duration_seconds`,
      type: 'histogram',
      help,
      read,
    })
    const counter = (name: string, help: string, counts: ReadonlyMap<string, number>): Gauge => ({
      name: `${prefix}webhook_${name}`,
      type: 'counter',
      help,
      read: () => [...counts].map(([labels, value]) => ({ labels, value })),
    })
    return [
      durations('step', 'How long the steps of admission took, by operation.', () =>
        Object.entries(this.#steps).flatMap(([type, one]) => one.samples('', type)),
      ),
      durations('controller', 'How long admission plugins took, by name and operation.', () =>
        this.#plugins.flatMap(({ name, type, durations: one }) => one.samples(`name="${name}",`, type)),
      ),
      durations('webhook', 'How long admission webhooks took, by name and operation.', () =>
        [...this.#webhooks].flatMap(([key, one]) => {
          const [name = '', type = ''] = key.split(/(?<="),type=/)
          return one.samples(`${name},`, type.slice(1, -1))
        }),
      ),
      counter('request_total', 'Requests to admission webhooks, by outcome.', this.#requests),
      counter(
        'rejection_count',
        'Requests that admission webhooks refused, or that failed with them.',
        this.#rejections,
      ),
      counter('fail_open_count', 'Calls of admission webhooks that failed and were passed over.', this.#failedOpen),
    ]
  }

  #durationsOf(name: string, type: StepType): Durations {
    const known = this.#plugins.find((one) => one.name === name && one.type === type)
    if (known !== undefined) return known.durations
    const durations = new Durations(stepBounds)
    this.#plugins.push({ name, type, durations })
    return durations
  }
}

const count = (counts: Map<string, number>, labels: string): void => {
  counts.set(labels, (counts.get(labels) ?? 0) + 1)
}
