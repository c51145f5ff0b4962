// A machine's boot as timed steps, and what is being waited for now.
import type { Machine } from '../../common/api/lab/v1alpha1.ts'
import { timeOf } from './duration.ts'

export interface BootStep {
  id: 'kernel' | 'init' | 'runtime' | 'agent' | 'ready'
  title: string
  /** What the machine does in this step. */
  waitingFor: string
  state: 'done' | 'active' | 'waiting'
  /** Time this step took, or has taken so far, ms. */
  tookMs?: number
}

const order: readonly { id: BootStep['id']; title: string; condition: string; waitingFor: string }[] = [
  { id: 'kernel', title: 'Kernel', condition: 'KernelStarted', waitingFor: 'firmware to load the kernel' },
  { id: 'init', title: 'Init', condition: 'InitDone', waitingFor: 'disks, network and modules' },
  { id: 'runtime', title: 'Runtime', condition: 'RuntimeReady', waitingFor: 'containerd to answer' },
  { id: 'agent', title: 'Agent', condition: 'AgentConnected', waitingFor: 'the node agent to connect to the engine' },
  { id: 'ready', title: 'Ready', condition: 'Ready', waitingFor: 'the node to report ready' },
]

export function bootSteps(machine: Machine, now: number): BootStep[] {
  const { status } = machine
  const startedAt = timeOf(status?.startedAt)
  const running = status?.phase === 'Starting' || status?.phase === 'Running'
  let previousMs = 0
  let activeGiven = false
  return order.map(({ id, title, condition, waitingFor }) => {
    const found = status?.conditions?.find((one) => one.type === condition)
    const reached = found?.status === 'True'
    const atMs =
      status?.bootMs?.[id] ?? (reached && startedAt > 0 ? timeOf(found.lastTransitionTime) - startedAt : undefined)
    if (reached || (atMs !== undefined && found === undefined)) {
      const tookMs = atMs === undefined ? undefined : Math.max(0, atMs - previousMs)
      previousMs = atMs ?? previousMs
      return { id, title, waitingFor, state: 'done', ...(tookMs === undefined ? {} : { tookMs }) }
    }
    if (running && !activeGiven) {
      activeGiven = true
      return {
        id,
        title,
        waitingFor,
        state: 'active',
        ...(startedAt === 0 ? {} : { tookMs: Math.max(0, now - startedAt - previousMs) }),
      }
    }
    return { id, title, waitingFor, state: 'waiting' }
  })
}

/** Time from power-on to Ready, ms, when the boot is complete. */
export const bootTotalMs = (machine: Machine): number | undefined => machine.status?.bootMs?.ready
