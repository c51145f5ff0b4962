// Decides what happens to a machine next. Pure: desired state and what the driver sees go in, one action comes out.
import type { Lab, Machine } from '../../../common/api/lab/v1alpha1.ts'
import type { VmObservation } from './driver.ts'

export const machineFinalizer = 'lab.orrery.dev/machine'

export interface PlanInput {
  readonly machine: Machine
  readonly lab: Lab | undefined
  readonly vm: VmObservation
  readonly nowMs: number
  /** The engine is going down and takes the machines along. */
  readonly shuttingDown: boolean
}

export type MachineAction =
  | { readonly type: 'adopt' }
  /** Finalizer and identity, in that order, before anything exists that would have to be cleaned up. */
  | { readonly type: 'register' }
  | { readonly type: 'boot' }
  | { readonly type: 'power-off' }
  /** Disk, node object, finalizer. */
  | { readonly type: 'remove' }
  | { readonly type: 'wait'; readonly untilMs?: number }

/** First restart at once; then 1 s, doubling to a minute. */
const backOffBaseMs = 1_000
const backOffMaxMs = 60_000

export function backOffMs(failuresInRow: number): number {
  return failuresInRow <= 1 ? 0 : Math.min(backOffMaxMs, backOffBaseMs * 2 ** (failuresInRow - 2))
}

export function shouldRun({ machine, lab, shuttingDown }: PlanInput): boolean {
  return (
    !shuttingDown &&
    machine.metadata.deletionTimestamp === undefined &&
    machine.spec.powerState !== 'Stopped' &&
    lab?.spec.powerState !== 'Stopped'
  )
}

export function planMachine(input: PlanInput): MachineAction {
  const { machine, nowMs, vm } = input
  const deleting = machine.metadata.deletionTimestamp !== undefined
  switch (vm.state) {
    case 'unknown':
      return { type: 'adopt' }
    case 'stopping':
      return { type: 'wait' }
    case 'preparing':
    case 'running':
      return shouldRun(input) ? { type: 'wait' } : { type: 'power-off' }
    case 'absent':
      if (deleting)
        return machine.metadata.finalizers?.includes(machineFinalizer) === true ? { type: 'remove' } : { type: 'wait' }
      if (!isRegistered(machine)) return { type: 'register' }
      if (!shouldRun(input)) return { type: 'wait' }
      return planBoot(input, vm, nowMs)
  }
}

export const isRegistered = (machine: Machine): boolean =>
  machine.metadata.finalizers?.includes(machineFinalizer) === true && machine.status?.index !== undefined

function planBoot(
  { machine }: PlanInput,
  vm: Extract<VmObservation, { state: 'absent' }>,
  nowMs: number,
): MachineAction {
  const generation = machine.metadata.generation ?? 0
  const { exit, failure, failuresInRow } = vm
  // Before a person changed something, trying again would end the same.
  if (failure !== undefined && !failure.retryable && failure.generation === generation) return { type: 'wait' }
  if (staysDown(machine, exit)) return { type: 'wait' }
  const lastMs = Math.max(failure?.atMs ?? 0, exit?.unasked === true ? exit.atMs : 0)
  const notBeforeMs = lastMs + backOffMs(failuresInRow)
  return lastMs > 0 && nowMs < notBeforeMs ? { type: 'wait', untilMs: notBeforeMs } : { type: 'boot' }
}

/** With restartPolicy Never a machine that died unasked stays down until its spec is changed (powered off and on). */
export function staysDown(machine: Machine, exit: { unasked: boolean; generation: number } | undefined): boolean {
  if (machine.spec.restartPolicy !== 'Never') return false
  const generation = machine.metadata.generation ?? 0
  if (exit !== undefined) return exit.unasked && exit.generation === generation
  // Seen by an earlier engine.
  return machine.status?.phase === 'Failed' && machine.status.observedGeneration === generation
}
