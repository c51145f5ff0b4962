// What is measured of the API: the load generator's commands, and which of their figures are held against which target.

/** A figure of one run. `other`: CPU used by everything else on the machine meanwhile, in % of one core. */
export interface Reading {
  readonly value: number
  readonly p99Ms?: number | undefined
  readonly cpuMs?: number | undefined
  readonly other?: number | undefined
}

export interface Target {
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Row {
  readonly what: string
  readonly unit: string
  /** Of the figures measured in the same round, the disk's. */
  readonly target: (round: { readonly fdatasyncsPerSecond: number }) => Target
  readonly read: (result: unknown) => Reading
}

export interface Step {
  readonly command: readonly string[]
  readonly rows: readonly Row[]
}

/** What the generator prints of one measured step. */
interface Run {
  readonly concurrency: number
  readonly rps: number
  readonly errorCount: number
  readonly ms: { readonly p50: number; readonly p99: number }
  readonly serverCpuMsPerRequest?: number
  readonly otherCpuPercent?: number
}

const runOf = (result: unknown, clients: number): Run => {
  const run = (result as { runs: readonly Run[] }).runs.find(({ concurrency }) => concurrency === clients)
  if (run === undefined) throw new Error(`the generator measured nothing with ${String(clients)} clients`)
  if (run.errorCount > 0) throw new Error(`${String(run.errorCount)} requests failed`)
  return run
}

const perSecond = (what: string, clients: number, target: Row['target']): Row => ({
  what: `${what}, ${String(clients)} ${clients === 1 ? 'client' : 'clients'}`,
  unit: '/s',
  target,
  read: (result) => {
    const run = runOf(result, clients)
    return { value: run.rps, p99Ms: run.ms.p99, cpuMs: run.serverCpuMsPerRequest, other: run.otherCpuPercent }
  },
})

const atLeast = (value: number) => (): Target => ({ atLeast: value })
const atMost = (value: number) => (): Target => ({ atMost: value })

/** The usual case: one command, 16 clients, requests per second. */
const step = (what: string, target: number, command: readonly string[]): Step => ({
  command: [...command, '--c', '16'],
  rows: [perSecond(what, 16, atLeast(target))],
})

interface Lists {
  readonly lists: Readonly<Record<string, { readonly ms: { readonly p50: number; readonly max: number } }>> & {
    /** The only one of them that says what else the machine did. */
    readonly concurrentFull4: { readonly otherCpuPercent?: number }
  }
}

const listRow = (what: string, way: string, target: number): Row => ({
  what,
  unit: 'ms',
  target: atMost(target),
  read: (result) => {
    const { lists } = result as Lists
    const { ms } = lists[way] ?? {}
    if (ms === undefined) throw new Error(`the generator did not list ${way}`)
    return { value: ms.p50, p99Ms: ms.max, other: lists.concurrentFull4.otherCpuPercent }
  },
})

interface Watched {
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  readonly missing: number
  readonly endedEarly: number
  readonly otherCpuPercent?: number
  readonly serverCpuMsPerRequest?: number
}

const watchStep = (watchers: number, events: number, target: number): Step => ({
  command: ['watch', '--watchers', String(watchers), '--events', String(events), '--rate', '20'],
  rows: [
    {
      what: `event to ${String(watchers)} watchers, 20 events/s, p99 from the POST on`,
      unit: 'ms',
      target: atMost(target),
      read: (result) => {
        const watched = result as Watched
        if (watched.missing + watched.endedEarly > 0) throw new Error('watchers missed events')
        const { p99 } = watched.latencyMs
        return { value: p99, p99Ms: p99, cpuMs: watched.serverCpuMsPerRequest, other: watched.otherCpuPercent }
      },
    },
  ],
})

interface Churned {
  readonly rps: number
  readonly errors: object
  readonly byKind: Readonly<Record<string, { readonly p99: number }>>
  readonly serverCpuMsPerRequest?: number
  readonly otherCpuPercent?: number
}

const churned = (result: unknown): Churned & { worst: number } => {
  const churn = result as Churned
  return { ...churn, worst: Math.max(...Object.values(churn.byKind).map(({ p99 }) => p99)) }
}

export const steps: readonly Step[] = [
  {
    command: ['create', '--kind', 'configmaps', '--n', '3000', '--c', '1,16,64'],
    rows: [
      perSecond('create ConfigMaps', 1, ({ fdatasyncsPerSecond }) => ({
        atLeast: Math.round(fdatasyncsPerSecond * 0.85),
      })),
      perSecond('create ConfigMaps', 16, atLeast(2500)),
      perSecond('create ConfigMaps', 64, atLeast(3500)),
      {
        what: 'server CPU per ConfigMap created, 16 clients',
        unit: 'ms',
        target: atMost(0.4),
        read: (result) => {
          const run = runOf(result, 16)
          return { value: run.serverCpuMsPerRequest ?? Number.NaN, other: run.otherCpuPercent }
        },
      },
    ],
  },
  step('create pods', 1500, ['create', '--kind', 'pods', '--n', '3000']),
  {
    command: ['get', '--n', '6000', '--c', '1,16'],
    // One client's get is what is left of its create without the disk: the way there and back.
    rows: [perSecond('get', 1, () => ({})), perSecond('get', 16, atLeast(6000))],
  },
  step('merge patch', 2500, ['patch', '--type', 'merge', '--n', '4000']),
  step('server-side apply', 1700, ['patch', '--type', 'apply', '--n', '4000']),
  step('strategic patch of pods', 1500, ['patch', '--kind', 'pods', '--type', 'strategic', '--n', '3000']),
  step('update (get + put)', 1600, ['update', '--n', '3000']),
  step('delete', 3000, ['delete', '--n', '4000']),
  {
    command: ['churn', '--c', '16', '--seconds', '10'],
    rows: [
      {
        what: 'mixed (70 % get, 10 % list, 20 % writes), 16 clients',
        unit: '/s',
        target: atLeast(4000),
        read: (result) => {
          const { rps, worst, serverCpuMsPerRequest: cpuMs, otherCpuPercent: other } = churned(result)
          return { value: rps, p99Ms: worst, cpuMs, other }
        },
      },
      {
        what: 'the same, p99 of the slowest verb',
        unit: 'ms',
        target: atMost(15),
        read: (result) => {
          const { worst, otherCpuPercent: other } = churned(result)
          return { value: worst, other }
        },
      },
    ],
  },
  {
    command: ['list', '--reps', '5'],
    rows: [listRow('list 10,000 pods', 'full', 120), listRow('page of 500 of them', 'limit500', 8)],
  },
  watchStep(100, 200, 5),
  watchStep(1000, 100, 30),
]
