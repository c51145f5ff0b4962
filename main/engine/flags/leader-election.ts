// Flags of leader election, as kube-controller-manager and kube-scheduler have them; here they are for both.
import { duration, type EngineFlag, flag, parseBoolean } from './flag.ts'

export const leaderElection: readonly EngineFlag[] = [
  flag(
    'leader-elect',
    'bool',
    'of several engines on one etcd one runs controllers, and one the scheduler (default: true)',
    (o, text) => {
      o.leaderElection = { ...o.leaderElection, elect: parseBoolean('leader-elect', text) }
    },
  ),
  duration(
    'leader-elect-lease-duration',
    'how long others wait after the last sign of life (default: 15s)',
    (o, ms) => {
      o.leaderElection = { ...o.leaderElection, leaseDurationMs: ms }
    },
  ),
  duration('leader-elect-renew-deadline', 'how long the leader tries to give one (default: 10s)', (o, ms) => {
    o.leaderElection = { ...o.leaderElection, renewDeadlineMs: ms }
  }),
  duration('leader-elect-retry-period', 'between two tries (default: 2s)', (o, ms) => {
    o.leaderElection = { ...o.leaderElection, retryPeriodMs: ms }
  }),
]
