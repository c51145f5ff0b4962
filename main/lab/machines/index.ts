// The machine controller: reads desired Machines and the Lab, asks plan.ts what to do, lets the driver do it, and writes status.
import { isDeepStrictEqual } from 'node:util'
import type { KubeClient } from '../../../common/client/client.ts'
import {
  type Controller,
  createController,
  keysOf,
  type KeySource,
  mapChanges,
  type ReconcileResult,
  requeueAfter,
} from '../../../common/client/controller.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import type { Informer } from '../../../common/client/informer.ts'
import {
  labs as labResource,
  machines as machineResource,
  nodes as nodeResource,
} from '../../../common/client/resources.ts'
import type { Node } from '../../../common/api/generated/types.ts'
import type { Lab, Machine, MachineStatus } from '../../../common/api/lab/v1alpha1.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { freeIndex, identityOf, type LabRanges, maxMachines } from './addresses.ts'
import type { BootRequest, MachineDriver, VmUsage } from './driver.ts'
import { machineEvents } from './machine-events.ts'
import { machineStatus, type NodeView } from './machine-status.ts'
import { machineFinalizer, type PlanInput, planMachine } from './plan.ts'

export interface MachineControllerOptions {
  readonly client: KubeClient
  readonly machines: Informer<Machine>
  readonly labs: Informer<Lab>
  readonly nodes: Informer<Node>
  readonly driver: MachineDriver
  readonly ranges: LabRanges
  readonly events: EventRecorder
  readonly clock: Clock
  readonly logger: Logger
}

export interface MachineController extends Controller {
  /** Powers every machine off without touching what is desired, and resolves when all are off (or rejects after `timeoutMs`). */
  powerOffAll(options: { timeoutMs: number }): Promise<void>
}

/** Time a guest gets to stop its pods and unmount; emulated guests needed up to 6 s. */
const powerOffGraceMs = 30_000
const usageEveryMs = 15_000
/** Smaller changes are not worth a write that every watcher gets. */
const rssStepBytes = 4 * 1024 * 1024
const cpuStepMillis = 15

export function createMachineController(options: MachineControllerOptions): MachineController {
  const { clock, driver, machines, labs, nodes } = options
  const reconciler = new MachineReconciler(options)
  const driverChanges: KeySource = {
    synced: Promise.resolve(),
    attach: (enqueue) => driver.subscribe(enqueue),
  }
  let enqueueAll: () => void = () => undefined
  const everything: KeySource = {
    synced: Promise.resolve(),
    attach(enqueue) {
      enqueueAll = () => {
        for (const machine of machines.list()) enqueue(machine.metadata.name ?? '')
      }
      void driver.leftovers().then((names) => {
        for (const name of names) enqueue(name)
      })
      return () => undefined
    },
  }
  const controller = createController({
    name: 'machines',
    workers: 8,
    sources: [
      keysOf(machines),
      mapChanges(labs, () => machines.list().map((machine) => machine.metadata.name ?? '')),
      keysOf(nodes, (node, old) => !isDeepStrictEqual(nodeView(node), nodeView(old))),
      driverChanges,
      everything,
    ],
    reconcile: (key) => reconciler.reconcile(key),
    logger: options.logger,
    clock,
  })

  return Object.assign(controller, {
    async powerOffAll({ timeoutMs }: { timeoutMs: number }): Promise<void> {
      reconciler.shuttingDown = true
      enqueueAll()
      await new Promise<void>((resolve, reject) => {
        const running = (): string[] =>
          machines
            .list()
            .map((machine) => machine.metadata.name ?? '')
            .filter((name) => !['absent', 'unknown'].includes(driver.observe(name).state))
        const finish = (): void => {
          unsubscribe()
          cancel()
        }
        const check = (): void => {
          if (running().length > 0) return
          finish()
          resolve()
        }
        const cancel = clock.after(timeoutMs, () => {
          finish()
          reject(new Error(`machines still running after ${String(timeoutMs / 1000)} s: ${running().join(', ')}`))
        })
        const unsubscribe = driver.subscribe(check)
        check()
      })
    },
  })
}

class MachineReconciler {
  shuttingDown = false
  readonly #options: MachineControllerOptions
  /** Indexes given out in this run, by uid: the cache may not show them yet. */
  readonly #allocated = new Map<string, number>()
  readonly #usage = new Map<string, { usage: VmUsage; atMs: number }>()

  constructor(options: MachineControllerOptions) {
    this.#options = options
  }

  async reconcile(name: string): Promise<ReconcileResult> {
    const { clock, driver, machines } = this.#options
    const machine = machines.get(name)
    if (machine === undefined) return this.#removeOrphan(name)
    const input = this.#input(machine)
    const action = planMachine(input)
    switch (action.type) {
      case 'adopt':
        // Its end calls us again through the driver's subscription.
        await driver.adopt(name)
        return requeueAfter(0)
      case 'register':
        await this.#register(machine)
        return
      case 'remove':
        await this.#remove(machine)
        return
      case 'boot':
        // A death is on record before the next boot makes the driver forget it.
        await this.#writeStatus(machine)
        driver.boot(bootRequest(machine))
        // Its first step calls us again.
        return
      case 'power-off':
        driver.powerOff(name, powerOffGraceMs)
        break
      case 'wait':
        break
    }
    await this.#writeStatus(machine)
    await this.#writeAccelerators()
    if (action.type === 'wait' && action.untilMs !== undefined)
      return requeueAfter(Math.max(0, action.untilMs - clock.now()))
    return driver.observe(name).state === 'running' ? requeueAfter(usageEveryMs) : undefined
  }

  #input(machine: Machine): PlanInput {
    const { clock, driver, labs } = this.#options
    return {
      machine,
      lab: labs.get('default'),
      vm: driver.observe(machine.metadata.name ?? ''),
      nowMs: clock.now(),
      shuttingDown: this.shuttingDown,
    }
  }

  async #writeStatus(machine: Machine): Promise<void> {
    const { client, events, nodes } = this.#options
    const name = machine.metadata.name ?? ''
    const node = nodeView(nodes.get(name))
    const usage = await this.#sampleUsage(machine)
    const status = machineStatus({ ...this.#input(machine), node, ...(usage === undefined ? {} : { usage }) })
    if (isDeepStrictEqual(status, machine.status)) return
    await client.updateStatus(machineResource, { ...machine, status })
    for (const { type, reason, message } of machineEvents(machine.status, status))
      events.event(machine, type, reason, message)
  }

  /** Verdicts of this run replace those of the same architecture; others stay as an earlier run found them. */
  async #writeAccelerators(): Promise<void> {
    const { client, driver, labs } = this.#options
    const lab = labs.get('default')
    const found = driver.accelerators()
    if (lab === undefined || found.length === 0) return
    const old = lab.status?.accelerators ?? []
    const accelerators = [...old.filter(({ arch }) => found.every((verdict) => verdict.arch !== arch)), ...found]
    accelerators.sort((a, b) => (a.arch < b.arch ? -1 : 1))
    if (isDeepStrictEqual(accelerators, old)) return
    await client.patch(labResource, { name: 'default', subresource: 'status' }, 'application/merge-patch+json', {
      status: { accelerators },
    })
  }

  /** At most every 15 s, and the value shown before when little changed. */
  async #sampleUsage(machine: Machine): Promise<VmUsage | undefined> {
    const { clock, driver } = this.#options
    const name = machine.metadata.name ?? ''
    if (driver.observe(name).state !== 'running') {
      this.#usage.delete(name)
      return undefined
    }
    const last = this.#usage.get(name)
    if (last !== undefined && clock.now() - last.atMs < usageEveryMs - 500) return last.usage
    const usage = await driver.usage(name)
    if (usage === undefined) return last?.usage
    const isNear =
      last !== undefined &&
      Math.abs(last.usage.rssBytes - usage.rssBytes) < rssStepBytes &&
      Math.abs(last.usage.cpuMillis - usage.cpuMillis) < cpuStepMillis
    this.#usage.set(name, { usage: isNear ? last.usage : usage, atMs: clock.now() })
    return isNear ? last.usage : usage
  }

  /** Finalizer first, so that nothing is made that nobody would clean up; then the identity, once and for all. */
  async #register(machine: Machine): Promise<void> {
    const { client, events, ranges } = this.#options
    const { name = '', finalizers = [], resourceVersion, uid = '' } = machine.metadata
    let current = machine
    if (!finalizers.includes(machineFinalizer)) {
      current = await client.patch(machineResource, { name }, 'application/merge-patch+json', {
        metadata: { finalizers: [...finalizers, machineFinalizer], resourceVersion },
      })
    }
    if (current.status?.index !== undefined) return
    const index = this.#allocateIndex(uid)
    if (index === undefined) {
      events.event(
        machine,
        'Warning',
        'LabFull',
        `A lab has room for ${String(maxMachines)} machines; delete one first`,
      )
      throw new Error(`no machine index is free for ${name}`)
    }
    const identity = identityOf(index, ranges)
    const status: MachineStatus = {
      ...current.status,
      ...identity,
      phase: 'Pending',
      reason: 'Registered',
      message: 'about to be started',
    }
    await client.updateStatus(machineResource, { ...current, status })
  }

  #allocateIndex(uid: string): number | undefined {
    const used = new Set<number>()
    for (const { metadata, status } of this.#options.machines.list()) {
      const index = status?.index ?? this.#allocated.get(metadata.uid ?? '')
      if (index !== undefined && metadata.uid !== uid) used.add(index)
    }
    for (const [other, index] of this.#allocated) if (other !== uid) used.add(index)
    const index = this.#allocated.get(uid) ?? freeIndex(used)
    if (index !== undefined) this.#allocated.set(uid, index)
    return index
  }

  async #remove(machine: Machine): Promise<void> {
    const { client, driver } = this.#options
    const { name = '', finalizers = [], uid = '' } = machine.metadata
    await this.#writeStatus(machine).catch((error: unknown) => {
      if (!isReason(error, 'Conflict')) throw error
    })
    await driver.remove(name)
    await client.delete(nodeResource, name).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error
    })
    const rest = finalizers.filter((finalizer) => finalizer !== machineFinalizer)
    await client
      .patch(machineResource, { name }, 'application/merge-patch+json', { metadata: { finalizers: rest, uid } })
      .catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error
      })
    this.#allocated.delete(uid)
  }

  /** The object is gone without our consent (finalizer taken off by hand, store replaced): its VM and disk must not stay. */
  async #removeOrphan(name: string): Promise<ReconcileResult> {
    const { driver } = this.#options
    const { state } = driver.observe(name)
    if (state === 'unknown') {
      if (!(await driver.leftovers()).includes(name)) return
      await driver.adopt(name)
      return requeueAfter(0)
    }
    if (state === 'absent') await driver.remove(name)
    else driver.powerOff(name, 0)
  }
}

function bootRequest(machine: Machine): BootRequest {
  const { metadata, spec, status } = machine
  const { index, lanAddress, podCIDR, macs } = status ?? {}
  if (index === undefined || lanAddress === undefined || podCIDR === undefined || macs === undefined) {
    throw new Error(`machine ${metadata.name ?? ''} has no identity yet`)
  }
  return {
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    arch: spec.arch,
    cpus: spec.cpus ?? 1,
    memoryMiB: spec.memoryMiB ?? 512,
    diskGiB: spec.diskGiB ?? 8,
    identity: { index, lanAddress, podCIDR, macs },
    labels: spec.labels ?? {},
    taints: spec.taints ?? [],
  }
}

function nodeView(node: Node | undefined): NodeView | undefined {
  if (node === undefined) return undefined
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  const bootId = node.status?.nodeInfo?.bootID
  return {
    ready: ready?.status === 'True',
    ...(ready?.message === undefined || ready.status === 'True' ? {} : { message: ready.message }),
    ...(bootId === undefined || bootId === '' ? {} : { bootId }),
  }
}
