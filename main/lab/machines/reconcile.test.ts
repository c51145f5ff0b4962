// The controller against the real API machinery and a driver that boots in memory.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createEventRecorder } from '../../../common/client/event-recorder.ts'
import { createInformer } from '../../../common/client/create-informer.ts'
import { events as eventResource, labs, machines, nodes } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { Lab, Machine } from '../../../common/api/lab/v1alpha1.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { startTestControlPlane, type TestControlPlane } from '../../controllers/testing/control-plane.ts'
import { contractRequest } from './driver-contract.ts'
import { createFakeDriver, type FakeDriver, type FakeDriverOptions } from './fake-driver.ts'
import { createMachineController, type MachineController } from './index.ts'
import { machineFinalizer } from './plan.ts'

let plane: TestControlPlane
let driver: FakeDriver
let controller: MachineController
let stop: () => Promise<void>

async function start(options: Partial<FakeDriverOptions> = {}): Promise<void> {
  driver = createFakeDriver({ clock: systemClock, ...options })
  const common = { client: plane.client, logger: silentLogger, clock: systemClock }
  const watched = {
    machines: createInformer({ ...common, resource: machines }),
    labs: createInformer({ ...common, resource: labs }),
    nodes: createInformer({ ...common, resource: nodes }),
  }
  const events = createEventRecorder({ ...common, component: 'orrery' })
  controller = createMachineController({
    ...common,
    ...watched,
    driver,
    events,
    ranges: { lanCIDR: '10.77.0.0/16', clusterCIDR: '10.244.0.0/16' },
  })
  for (const informer of Object.values(watched)) informer.start()
  await controller.start()
  stop = async () => {
    await controller.stop()
    for (const informer of Object.values(watched)) informer.stop()
    await events.stop()
  }
}

beforeEach(async () => {
  plane = await startTestControlPlane()
  stop = () => Promise.resolve()
})
afterEach(async () => {
  await stop()
  await plane.close()
})

const newMachine = (name: string, spec: Partial<Machine['spec']> = {}): Machine => ({
  apiVersion: 'lab.orrery.dev/v1alpha1',
  kind: 'Machine',
  metadata: { name },
  spec: { arch: 'amd64', ...spec },
})
const create = (name: string, spec: Partial<Machine['spec']> = {}): Promise<Machine> =>
  plane.client.create(machines, newMachine(name, spec))
const get = (name: string): Promise<Machine> => plane.client.get(machines, name)
const reaches = (name: string, wanted: object): Promise<Machine> =>
  eventually(async () => {
    const machine = await get(name)
    expect(machine).toMatchObject(wanted)
    return machine
  })
const patch = (name: string, spec: object): Promise<unknown> =>
  plane.client.patch(machines, { name }, 'application/merge-patch+json', { spec })
const reasons = async (): Promise<string[]> =>
  (await plane.client.list(eventResource)).items.map(({ reason = '' }) => reason)

describe('machine controller', () => {
  test('a new machine gets its identity and a finalizer, boots, and shows its way to Ready', async () => {
    await start()
    await create('node-1', { cpus: 2, memoryMiB: 768 })
    await reaches('node-1', {
      metadata: { finalizers: [machineFinalizer] },
      status: {
        index: 1,
        lanAddress: '10.77.0.11',
        podCIDR: '10.244.1.0/24',
        phase: 'Starting',
        reason: 'Booting',
        boots: 1,
      },
    })
    expect(driver.boots).toMatchObject([{ name: 'node-1', cpus: 2, memoryMiB: 768, identity: { index: 1 } }])
    driver.reach('node-1', 'Init')
    await reaches('node-1', { status: { message: expect.stringContaining('container runtime') as string } })
    driver.reach('node-1', 'Agent')
    await reaches('node-1', { status: { reason: 'WaitingForNode' } })
    const node = await plane.client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } })
    await plane.client.updateStatus(nodes, { ...node, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    const ready = await reaches('node-1', { status: { phase: 'Running', reason: 'Ready', message: 'ready' } })
    expect(ready.status?.bootMs?.ready).toBeGreaterThanOrEqual(0)
    await eventually(async () => {
      expect(await reasons()).toEqual(expect.arrayContaining(['PoweredOn', 'Ready']))
    })
  })

  test('many machines at once get different identities, and keep them', async () => {
    await start({ instant: true })
    await Promise.all(Array.from({ length: 12 }, (_, i) => create(`node-${String(i)}`)))
    await eventually(() => driver.boots.length === 12)
    expect(new Set(driver.boots.map(({ identity }) => identity.lanAddress)).size).toBe(12)
    const before = (await get('node-3')).status?.index
    await patch('node-3', { powerState: 'Stopped' })
    await reaches('node-3', { status: { phase: 'Stopped' } })
    await patch('node-3', { powerState: 'Running' })
    await reaches('node-3', { status: { phase: 'Running', index: before, boots: 2 } })
  })

  test('a stopped lab stops all machines and a running one starts them', async () => {
    const lab: Lab = {
      apiVersion: 'lab.orrery.dev/v1alpha1',
      kind: 'Lab',
      metadata: { name: 'default' },
      spec: { powerState: 'Running' },
    }
    await plane.client.create(labs, lab)
    await start({ instant: true })
    await Promise.all([create('a'), create('b')])
    await reaches('b', { status: { phase: 'Running' } })
    await plane.client.patch(labs, { name: 'default' }, 'application/merge-patch+json', {
      spec: { powerState: 'Stopped' },
    })
    await Promise.all(['a', 'b'].map((name) => reaches(name, { status: { phase: 'Stopped', reason: 'LabStopped' } })))
    await plane.client.patch(labs, { name: 'default' }, 'application/merge-patch+json', {
      spec: { powerState: 'Running' },
    })
    await Promise.all(['a', 'b'].map((name) => reaches(name, { status: { phase: 'Running', boots: 2 } })))
  })

  test('a machine that died is booted again at once, and the death is on record', async () => {
    await start({ instant: true })
    await create('node-1')
    await reaches('node-1', { status: { phase: 'Running' } })
    driver.die('node-1', { crash: true, reason: 'KernelPanic', message: 'the guest’s kernel panicked: x' })
    await reaches('node-1', { status: { phase: 'Running', boots: 2, crashes: 1, lastExit: { reason: 'KernelPanic' } } })
    await eventually(async () => {
      expect(await reasons()).toContain('KernelPanic')
    })
  })

  test('with restartPolicy Never it stays down and says why, until it is powered off and on', async () => {
    await start({ instant: true })
    await create('node-1', { restartPolicy: 'Never' })
    await reaches('node-1', { status: { phase: 'Running' } })
    driver.die('node-1', { crash: true, reason: 'Killed', message: 'QEMU was killed' })
    await reaches('node-1', {
      status: { phase: 'Failed', reason: 'Killed', message: expect.stringContaining('powered off and on') as string },
    })
    await patch('node-1', { powerState: 'Stopped' })
    await reaches('node-1', { status: { phase: 'Stopped' } })
    await patch('node-1', { powerState: 'Running' })
    await reaches('node-1', { status: { phase: 'Running', boots: 2 } })
  })

  test('a failed boot says what to do; a changed spec tries again', async () => {
    await start({ instant: true })
    await driver.adopt('node-1')
    driver.failNextBoot('node-1', {
      reason: 'QemuMissing',
      message: 'qemu was not found; install it',
      retryable: false,
    })
    await create('node-1')
    await reaches('node-1', {
      status: { phase: 'Failed', reason: 'QemuMissing', message: 'qemu was not found; install it' },
    })
    await patch('node-1', { memoryMiB: 600 })
    await reaches('node-1', { status: { phase: 'Running' } })
  })

  test('deleting powers off, takes the Node along, and the name can be used again', async () => {
    await start({ instant: true })
    await create('node-1')
    await reaches('node-1', { status: { phase: 'Running' } })
    await plane.client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } })
    await plane.client.delete(machines, 'node-1')
    await eventually(async () => {
      const errors = await Promise.all(
        [get('node-1'), plane.client.get(nodes, 'node-1')].map((wanted) =>
          wanted.then(
            () => undefined,
            (error: unknown) => error,
          ),
        ),
      )
      expect(errors.every((error) => isReason(error, 'NotFound'))).toBe(true)
    })
    await create('node-1')
    await reaches('node-1', { status: { phase: 'Running', index: 1, boots: 1 } })
  })

  test('VMs an earlier engine left are adopted, not booted again; one without an object is ended and removed', async () => {
    await create('kept')
    await start({ left: [contractRequest('kept'), contractRequest('orphan')] })
    await reaches('kept', { status: { phase: 'Starting', reason: 'Booting' } })
    await eventually(async () => {
      expect(await driver.leftovers()).toEqual(['kept'])
    })
    expect(driver.boots).toEqual([])
  })

  test('powering everything off for the engine’s end changes nothing that is desired', async () => {
    await start({ instant: true })
    await create('node-1')
    await reaches('node-1', { status: { phase: 'Running' } })
    await controller.powerOffAll({ timeoutMs: 10_000 })
    expect(driver.observe('node-1').state).toBe('absent')
    expect((await get('node-1')).spec.powerState).not.toBe('Stopped')
  })
})
