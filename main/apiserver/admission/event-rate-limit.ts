// EventRateLimit: at most so many events per source, so that one noisy program does not drown the others. Without a configuration
// file the limits are those of upstream's documentation example for one source and object.
import type { Event } from '../../../common/api/generated/types.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import { type AdmissionPlugin, type AdmissionAttributes, isCreate } from './admission.ts'

const perSecond = 10
const burst = 50
const maxSources = 4096

export function eventRateLimit(): AdmissionPlugin {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    name: 'EventRateLimit',
    concerns: ({ group, resource }) => resource === 'events' && (group === '' || group === 'events.k8s.io'),
    validate(attributes) {
      if (!isCreate(attributes)) return
      const key = sourceOf(attributes)
      const now = attributes.registry.clock.now()
      const bucket = buckets.get(key) ?? { tokens: burst, at: now }
      const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond)
      buckets.delete(key)
      buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now })
      const [oldest] = buckets.keys()
      if (buckets.size > maxSources && oldest !== undefined) buckets.delete(oldest)
      if (tokens < 1)
        throw new StatusError({
          code: 429,
          reason: 'TooManyRequests',
          message: 'limit reached on type SourceAndObject for key ' + key,
          details: { retryAfterSeconds: 1 },
        })
    },
  }
}

function sourceOf({ object }: AdmissionAttributes): string {
  const { source, involvedObject } = object as Event
  return [
    source?.component,
    source?.host,
    involvedObject?.kind,
    involvedObject?.namespace,
    involvedObject?.name,
    involvedObject?.uid,
  ]
    .map((part) => part ?? '')
    .join('_')
}
