// What every machine driver promises, whether it runs QEMU or only remembers.
import { expect, test } from 'vitest'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { identityOf } from './addresses.ts'
import type { BootRequest, MachineDriver, VmObservation } from './driver.ts'

export const contractRequest = (name: string): BootRequest => ({
  name,
  uid: `uid-${name}`,
  generation: 1,
  arch: 'amd64',
  cpus: 1,
  memoryMiB: 512,
  diskGiB: 8,
  identity: identityOf(1, { lanCIDR: '10.77.0.0/16', clusterCIDR: '10.244.0.0/16' }),
  labels: {},
  taints: [],
})

export interface DriverUnderTest {
  readonly driver: MachineDriver
  /** Kills the VM from outside, as a crash would. */
  kill(name: string, observation: Extract<VmObservation, { state: 'running' }>): void
  /** Another driver over the same host state, after this one was released. */
  restarted(): Promise<MachineDriver>
}

/** `deadlineMs`: how long a boot or a power-off may take. */
export function describeDriver(setUp: () => Promise<DriverUnderTest>, deadlineMs: number): void {
  const reach = async <S extends VmObservation['state']>(
    driver: MachineDriver,
    name: string,
    state: S,
  ): Promise<Extract<VmObservation, { state: S }>> =>
    eventually(() => {
      const seen = driver.observe(name)
      expect(seen).toMatchObject({ state })
      return seen as Extract<VmObservation, { state: S }>
    }, deadlineMs)

  test('knows nothing before it looked, and nothing runs after it looked at an empty host', async () => {
    const { driver } = await setUp()
    expect(driver.observe('a')).toEqual({ state: 'unknown' })
    driver.boot(contractRequest('a'))
    expect(driver.observe('a').state).toBe('unknown')
    await driver.adopt('a')
    expect(driver.observe('a')).toEqual({ state: 'absent', failuresInRow: 0 })
    await driver.remove('a')
    await driver.release()
  })

  test('boots, reports, powers off when asked, removes', async () => {
    const { driver } = await setUp()
    await driver.adopt('a')
    const changes: string[] = []
    driver.subscribe((name) => changes.push(`${name} ${driver.observe(name).state}`))
    driver.boot(contractRequest('a'))
    driver.boot(contractRequest('a'))
    const { boot } = await reach(driver, 'a', 'running')
    expect(boot).toMatchObject({ generation: 1, cpus: 1, memoryMiB: 512 })
    expect(boot.pid).toBeGreaterThan(0)
    expect((await driver.usage('a'))?.rssBytes).toBeGreaterThan(0)
    driver.powerOff('a', 0)
    const { exit, failuresInRow } = await reach(driver, 'a', 'absent')
    expect(exit).toMatchObject({ unasked: false, crash: false, generation: 1 })
    expect(failuresInRow).toBe(0)
    expect(changes).toContain('a running')
    expect(changes.at(-1)).toBe('a absent')
    expect(await driver.usage('a')).toBeUndefined()
    await driver.remove('a')
    expect(await driver.leftovers()).not.toContain('a')
    await driver.release()
  })

  test('a death unasked is reported as such', async () => {
    const subject = await setUp()
    const { driver } = subject
    await driver.adopt('a')
    driver.boot(contractRequest('a'))
    subject.kill('a', await reach(driver, 'a', 'running'))
    const { exit, failuresInRow } = await reach(driver, 'a', 'absent')
    expect(exit).toMatchObject({ unasked: true, crash: true })
    expect(exit?.message).not.toBe('')
    expect(failuresInRow).toBe(1)
    await driver.remove('a')
    await driver.release()
  })

  test('a machine left running is found by the next driver with its pid', async () => {
    const subject = await setUp()
    const { driver } = subject
    await driver.adopt('a')
    driver.boot(contractRequest('a'))
    const { boot } = await reach(driver, 'a', 'running')
    await driver.release()
    const next = await subject.restarted()
    expect(await next.leftovers()).toContain('a')
    await next.adopt('a')
    expect(next.observe('a')).toMatchObject({ state: 'running', boot: { pid: boot.pid, generation: 1 } })
    next.powerOff('a', 0)
    await reach(next, 'a', 'absent')
    await next.remove('a')
    await next.release()
  })
}
