// Which Events a change of a Machine's status is worth. Pure.
import type { MachineStatus } from '../../../common/api/lab/v1alpha1.ts'

export interface MachineEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Reasons under which a machine that should run does not, told once each time they appear. */
const quietReasons = new Set([
  'Looking',
  'Preparing',
  'PoweringOff',
  'Deleting',
  'Ready',
  'RestartNeeded',
  'WaitingForNode',
  'AgentDisconnected',
  'Booting',
  'LabStopped',
  'PoweredOff',
  'Restarting',
  'WaitingForPowerOn',
  'CrashLoopBackOff',
])

export function machineEvents(old: MachineStatus | undefined, now: MachineStatus): MachineEvent[] {
  const events: MachineEvent[] = []
  const exit = now.lastExit
  if (exit !== undefined && (exit.at !== old?.lastExit?.at || exit.reason !== old.lastExit.reason)) {
    const crashed = (now.crashes ?? 0) > (old?.crashes ?? 0)
    events.push({ type: crashed ? 'Warning' : 'Normal', reason: exit.reason, message: sentence(exit.message) })
  }
  if (now.pid !== undefined && now.pid !== old?.pid) {
    events.push({
      type: 'Normal',
      reason: 'PoweredOn',
      message: `Powered on (${now.accelerator ?? 'tcg'}, QEMU process ${String(now.pid)})`,
    })
  }
  if (isReady(now) && !isReady(old)) {
    const ms = now.bootMs?.ready
    const isFirst = old?.bootMs?.ready === undefined || old.pid !== now.pid
    events.push({
      type: 'Normal',
      reason: 'Ready',
      message: isFirst && ms !== undefined ? `Ready ${(ms / 1000).toFixed(1)} s after power-on` : 'Ready again',
    })
  }
  if (now.reason === 'AgentDisconnected' && old?.reason !== now.reason) {
    events.push({ type: 'Warning', reason: 'AgentDisconnected', message: sentence(now.message ?? '') })
  }
  if (
    now.reason !== undefined &&
    now.reason !== old?.reason &&
    !quietReasons.has(now.reason) &&
    now.reason !== exit?.reason
  ) {
    events.push({ type: 'Warning', reason: now.reason, message: sentence(now.message ?? now.reason) })
  }
  return events
}

const isReady = (status: MachineStatus | undefined): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
