import { expect, it } from 'vitest'
import { events } from '../../common/client/resources.ts'
import { createManualClock } from '../../common/client/testing/manual-clock.ts'
import { eventually } from '../../common/client/testing/eventually.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { startTestControlPlane } from '../controllers/testing/control-plane.ts'
import { startEventExpiry } from './event-expiry.ts'

it('removes events an hour after they were last written', async () => {
  const clock = createManualClock()
  const plane = await startTestControlPlane(clock)
  const stop = startEventExpiry({ client: plane.client, clock, logger: silentLogger })
  const make = (name: string) =>
    plane.client.create(events, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      involvedObject: { namespace: 'default', name: 'x', kind: 'Pod' },
    })
  const names = async () => (await plane.client.list(events)).items.map(({ metadata }) => metadata.name)
  try {
    await make('old')
    await make('repeated')
    await clock.advance(1_800_000)
    await plane.client.patch(events, { name: 'repeated', namespace: 'default' }, 'application/merge-patch+json', {
      count: 2,
    })
    expect(await names()).toEqual(['old', 'repeated'])
    for (let minutes = 30; minutes <= 65; minutes += 5) {
      // The next sweep is planned when the last one has ended.
      await eventually(() => clock.pending > 0)
      await clock.advance(300_000)
    }
    await eventually(() => clock.pending > 0)
    expect(await names()).toEqual(['repeated'])
  } finally {
    await stop()
    await plane.close()
  }
})
