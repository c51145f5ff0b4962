// Which door a server has.
import type { Registry } from '../registry/context.ts'
import { FlowControl } from './flow-control.ts'
import type { Gate } from './gate.ts'
import { InFlightLimits } from './in-flight-limits.ts'
import type { FlowControlSettings } from './settings.ts'
import { newWorkEstimate } from './work-estimate.ts'

export function newGate(
  { store, clock, resources }: Registry,
  settings: FlowControlSettings = { reads: 400, writes: 200, fair: true },
): Gate {
  const { reads, writes, fair } = settings
  if (!fair || reads + writes === 0) return new InFlightLimits(settings)
  return new FlowControl({
    store,
    clock,
    seats: reads + writes,
    estimate: newWorkEstimate({ store, resources }),
  })
}
