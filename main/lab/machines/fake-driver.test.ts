import { describe } from 'vitest'
import { systemClock } from '../../../common/machinery/clock.ts'
import { contractRequest, describeDriver } from './driver-contract.ts'
import { createFakeDriver } from './fake-driver.ts'

describe('fake driver', () => {
  describeDriver(() => {
    const driver = createFakeDriver({ clock: systemClock })
    return Promise.resolve({
      driver,
      kill: (name) => {
        driver.die(name, { crash: true, reason: 'Killed', message: 'killed from outside' })
      },
      restarted: () => {
        const observation = driver.observe('a')
        const pid = observation.state === 'running' ? observation.boot.pid : 0
        return Promise.resolve(createFakeDriver({ clock: systemClock, left: [contractRequest('a')], firstPid: pid }))
      },
    })
  }, 5_000)
})
