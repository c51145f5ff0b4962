// What a Machine's status says about what the driver sees. Pure. `message` always says what is waited for, or what is wrong and what helps.
import type { Condition } from '../../../common/api/generated/types.ts'
import type { Machine, MachineStatus } from '../../../common/api/lab/v1alpha1.ts'
import type { BootPhase } from '../../../common/channel/agent-api.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { BootReport, ExitReport, VmObservation, VmUsage } from './driver.ts'
import { backOffMs, type PlanInput, shouldRun, staysDown } from './plan.ts'

export interface StatusInput extends PlanInput {
  /** What the Node object of the same name says. */
  readonly node: NodeView | undefined
  readonly usage?: VmUsage
}

export interface NodeView {
  readonly ready: boolean
  /** Why it is not Ready. */
  readonly message?: string
  /** status.nodeInfo.bootID: which boot of the guest wrote it. */
  readonly bootId?: string
}

/** bootMs key and condition type of each phase, in boot order. */
const steps: readonly {
  phase: BootPhase
  key: 'kernel' | 'init' | 'runtime' | 'agent'
  condition: string
  next: string
}[] = [
  { phase: 'Kernel', key: 'kernel', condition: 'KernelStarted', next: 'the kernel to start' },
  { phase: 'Init', key: 'init', condition: 'InitDone', next: 'the guest’s init (disks, modules, network)' },
  { phase: 'Runtime', key: 'runtime', condition: 'RuntimeReady', next: 'the container runtime (containerd)' },
  { phase: 'Agent', key: 'agent', condition: 'AgentConnected', next: 'the node agent to answer' },
]

interface Verdict {
  phase: NonNullable<MachineStatus['phase']>
  reason: string
  message: string
}

export function machineStatus(input: StatusInput): MachineStatus {
  const { machine, vm } = input
  const old = machine.status ?? {}
  const boot = vm.state === 'running' || vm.state === 'stopping' ? vm.boot : undefined
  const ready = boot !== undefined && vm.state === 'running' && isReady(boot, input)
  const verdict = verdictOf(input, ready)
  const status: MachineStatus = {
    ...pick(old, ['index', 'lanAddress', 'podCIDR', 'macs']),
    ...verdict,
    observedGeneration: machine.metadata.generation,
    boots: old.boots ?? 0,
    crashes: old.crashes ?? 0,
    ...(old.lastExit === undefined ? {} : { lastExit: old.lastExit }),
  }
  if (vm.state === 'absent' && vm.exit !== undefined) countExit(status, old, vm.exit)
  if (boot !== undefined) {
    const startedAt = formatTime(boot.startedAtMs)
    if (old.startedAt !== startedAt || old.pid !== boot.pid) status.boots = (old.boots ?? 0) + 1
    status.startedAt = startedAt
    status.pid = boot.pid
    status.accelerator = boot.accelerator
    status.bootMs = bootTimes(boot, old, input, ready)
    status.resources = input.usage ?? old.resources ?? {}
  } else if (old.bootMs !== undefined) {
    // How long the last boot took stays visible while the machine is off.
    status.bootMs = old.bootMs
  }
  status.conditions = conditions(input, boot, ready, verdict)
  return status
}

function pick<K extends keyof MachineStatus>(status: MachineStatus, keys: readonly K[]): Pick<MachineStatus, K> {
  const picked: Partial<MachineStatus> = {}
  for (const key of keys) if (status[key] !== undefined) picked[key] = status[key]
  return picked
}

function countExit(status: MachineStatus, old: MachineStatus, exit: ExitReport): void {
  const at = formatTime(exit.atMs)
  if (old.lastExit?.at === at && old.lastExit.reason === exit.reason) return
  status.lastExit = { at, reason: exit.reason, message: exit.message }
  if (exit.unasked && exit.crash) status.crashes = (old.crashes ?? 0) + 1
}

function isReady(boot: BootReport, { node }: StatusInput): boolean {
  if (!boot.agentConnected || node?.ready !== true) return false
  // A Node object that an earlier boot left "Ready" proves nothing until this boot's agent has written it.
  return boot.bootId === undefined || node.bootId === undefined || boot.bootId === node.bootId
}

function bootTimes(
  boot: BootReport,
  old: MachineStatus,
  { nowMs }: StatusInput,
  ready: boolean,
): NonNullable<MachineStatus['bootMs']> {
  const sameBoot = old.startedAt === formatTime(boot.startedAtMs) && old.pid === boot.pid
  const times: NonNullable<MachineStatus['bootMs']> = sameBoot ? { ...old.bootMs } : {}
  for (const { phase, key } of steps) {
    const ms = boot.phases[phase]
    if (ms !== undefined) times[key] ??= Math.round(ms)
  }
  if (ready) times.ready ??= nowMs - boot.startedAtMs
  return times
}

function verdictOf(input: StatusInput, ready: boolean): Verdict {
  const { machine, vm } = input
  const deleting = machine.metadata.deletionTimestamp !== undefined
  switch (vm.state) {
    case 'unknown':
      return { phase: 'Pending', reason: 'Looking', message: 'looking for a VM that an earlier engine left running' }
    case 'preparing':
      return { phase: 'Starting', reason: 'Preparing', message: `before power-on: ${vm.step}` }
    case 'stopping':
      return {
        phase: 'Stopping',
        reason: deleting ? 'Deleting' : 'PoweringOff',
        message: 'waiting for the guest to stop its pods and power off',
      }
    case 'running':
      return runningVerdict(input, vm.boot, ready)
    case 'absent':
      return deleting
        ? { phase: 'Stopping', reason: 'Deleting', message: 'removing the machine’s disk and its Node' }
        : absentVerdict(input, vm)
  }
}

/** How many steps are behind a boot: a phase that was reached implies those before it, told or not. */
const reachedSteps = (boot: BootReport): number =>
  steps.findLastIndex(({ phase }) => boot.phases[phase] !== undefined) + 1

function runningVerdict({ machine, node }: StatusInput, boot: BootReport, ready: boolean): Verdict {
  if (boot.paused !== undefined) return { phase: 'Running', ...boot.paused }
  if (ready) {
    const { cpus = boot.cpus, memoryMiB = boot.memoryMiB } = machine.spec
    const changed = cpus !== boot.cpus || memoryMiB !== boot.memoryMiB
    return changed
      ? {
          phase: 'Running',
          reason: 'RestartNeeded',
          message: 'ready; changed cpus or memory take effect when the machine is stopped and started again',
        }
      : { phase: 'Running', reason: 'Ready', message: 'ready' }
  }
  if (boot.agentConnected) {
    return {
      phase: 'Running',
      reason: 'WaitingForNode',
      message:
        node === undefined
          ? 'waiting for the agent to register its Node'
          : `waiting for the Node to become Ready${node.message === undefined ? '' : `: ${node.message}`}`,
    }
  }
  if (boot.agentProblem !== undefined) {
    return {
      phase: 'Running',
      reason: 'AgentDisconnected',
      message: `the agent is not connected any more (${boot.agentProblem}); dialling again`,
    }
  }
  const next = steps[reachedSteps(boot)]
  return { phase: 'Starting', reason: 'Booting', message: `waiting for ${next?.next ?? 'the node agent to answer'}` }
}

function absentVerdict(input: StatusInput, vm: Extract<VmObservation, { state: 'absent' }>): Verdict {
  const { lab, machine, nowMs } = input
  const { exit, failure, failuresInRow } = vm
  const old = machine.status
  if (!shouldRun(input)) {
    return lab?.spec.powerState === 'Stopped' && machine.spec.powerState !== 'Stopped'
      ? { phase: 'Stopped', reason: 'LabStopped', message: 'off with the whole lab; its disk is kept' }
      : { phase: 'Stopped', reason: 'PoweredOff', message: 'off' }
  }
  if (failure !== undefined && (exit === undefined || failure.atMs >= exit.atMs)) {
    return {
      phase: failure.retryable ? 'Pending' : 'Failed',
      reason: failure.reason,
      message: `${failure.message}${again(failuresInRow, failure.atMs, nowMs, failure.retryable)}`,
    }
  }
  if (staysDown(machine, exit)) {
    return {
      phase: 'Failed',
      reason: exit?.reason ?? old?.reason ?? 'Died',
      message:
        exit === undefined
          ? (old?.message ?? 'ended unasked')
          : `${exit.message}; it stays off (restartPolicy Never) until it is powered off and on`,
    }
  }
  if (exit?.unasked === true) {
    return failuresInRow > 1
      ? {
          phase: 'Pending',
          reason: 'CrashLoopBackOff',
          message: `${exit.message}${again(failuresInRow, exit.atMs, nowMs, true)}`,
        }
      : { phase: 'Starting', reason: 'Restarting', message: `${exit.message}; starting it again` }
  }
  return { phase: 'Pending', reason: 'WaitingForPowerOn', message: 'about to be started' }
}

function again(failuresInRow: number, atMs: number, nowMs: number, retryable: boolean): string {
  if (!retryable) return ''
  const waitMs = atMs + backOffMs(failuresInRow) - nowMs
  return waitMs > 0 ? `; next try after ${String(Math.round(backOffMs(failuresInRow) / 1000))} s` : '; trying again'
}

function conditions(input: StatusInput, boot: BootReport | undefined, ready: boolean, verdict: Verdict): Condition[] {
  const { machine, nowMs } = input
  const bootMs = boot === undefined ? undefined : bootTimes(boot, machine.status ?? {}, input, ready)
  const list: Condition[] = []
  const reachedCount = boot === undefined ? 0 : reachedSteps(boot)
  steps.forEach(({ condition, key }, index) => {
    const reached = key === 'agent' ? boot?.agentConnected === true : index < reachedCount
    const ms = bootMs?.[key]
    const atMs = boot === undefined || ms === undefined || !reached ? nowMs : boot.startedAtMs + ms
    list.push(conditionOf(machine, condition, reached, verdict, atMs))
  })
  list.push(conditionOf(machine, 'Ready', ready, verdict, nowMs))
  return list
}

function conditionOf(machine: Machine, type: string, reached: boolean, verdict: Verdict, atMs: number): Condition {
  const status = reached ? 'True' : 'False'
  const old = machine.status?.conditions?.find((condition) => condition.type === type)
  return {
    type,
    status,
    reason: reached ? 'Reached' : verdict.reason,
    message: reached ? '' : verdict.message,
    lastTransitionTime: old?.status === status ? old.lastTransitionTime : formatTime(atMs),
  }
}
