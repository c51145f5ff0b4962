import { once } from 'node:events'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Taint } from '../../../common/api/generated/types.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger, type Logger } from '../../../common/machinery/logger.ts'
import { isQuantity } from '../../../common/machinery/quantity.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { startHollowNodes } from '../../hollow-nodes/index.ts'
import { connectEngine } from '../engine-client.ts'
import { connectKubeconfig } from '../kubeconfig-client.ts'
import { print } from '../output.ts'

interface HollowFlags {
  kubeconfig?: string
  prefix: string
  arch: string[]
  cpu: string
  memory: string
  pods: number
  label: Record<string, string>
  taint: Taint[]
  zones?: number
  startDelay: number
  stopDelay: number
  events: boolean
  keep: boolean
}

const maxNodes = 10_000

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`A whole number from ${String(min)} to ${String(max)}.`)
    return value
  }
}

function quantity(text: string): string {
  if (!isQuantity(text)) throw new InvalidArgumentError('A quantity, for example 8 or 16Gi.')
  return text
}

function milliseconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('A duration, for example 500ms, 2s or 1m.')
  return Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000 }[match[2] ?? 's'] ?? 1000)
}

function label(text: string, known: Record<string, string>): Record<string, string> {
  const [key = '', value = ''] = text.split('=')
  if (key === '') throw new InvalidArgumentError('key=value')
  return { ...known, [key]: value }
}

function taint(text: string, known: Taint[]): Taint[] {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('key[=value]:NoSchedule, PreferNoSchedule or NoExecute.')
  const [, key = '', value, effect = ''] = match
  return [...known, { key, ...(value === undefined ? {} : { value }), effect }]
}

export function hollowNodesCommand(): Command {
  return new Command('hollow-nodes')
    .description('add simulated nodes for scale tests: they run nothing, say so, and report as kubelets do')
    .argument('<n>', 'how many', wholeNumber(1, maxNodes))
    .option('--kubeconfig <file>', 'of the cluster to add them to (default: the engine of this home)')
    .option('--prefix <text>', 'names are this and a number', 'hollow-')
    .option('--arch <list>', 'in turn, for example amd64,arm64', (text: string) => text.split(','), ['amd64'])
    .option('--cpu <quantity>', 'of each node', quantity, '8')
    .option('--memory <quantity>', 'of each node', quantity, '32Gi')
    .option('--pods <n>', 'per node at most', wholeNumber(1, 1000), 110)
    .option('--label <key=value>', 'on each node; repeatable', label, {})
    .option('--taint <key=value:effect>', 'on each node; repeatable', taint, [])
    .option('--zones <n>', 'deal them into this many zones (topology.kubernetes.io/zone)', wholeNumber(1, 100))
    .option('--start-delay <duration>', 'until the containers of a pod run', milliseconds, 0)
    .option('--stop-delay <duration>', 'until the containers of a deleted pod have ended', milliseconds, 0)
    .addOption(new Option('--events', 'record events about containers, as kubelets do').default(false))
    .addOption(new Option('--keep', 'leave the nodes in the cluster at the end').default(false))
    .addHelpText(
      'after',
      `
Each has the label lab.orrery.dev/hollow=true. Pods on them run until deleted, but for containers whose command is a plain sleep, true or
exit, and pods with the annotation lab.orrery.dev/hollow-exit-after=5s (lab.orrery.dev/hollow-exit-code=1: with a failure).
Ctrl-C removes the nodes; deleting one with kubectl ends its simulation.`,
    )
    .action(run)
}

async function run(count: number, flags: HollowFlags): Promise<void> {
  // Before anything is made: an impatient Ctrl-C must clean up too.
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  const cluster =
    flags.kubeconfig === undefined
      ? await connectEngine(homePaths(defaultHome()))
      : await connectKubeconfig(resolve(flags.kubeconfig))
  try {
    const startedAt = performance.now()
    const hollow = await startHollowNodes({
      client: cluster.client,
      clock: systemClock,
      logger: stderrLogger,
      names: Array.from({ length: count }, (_, index) => `${flags.prefix}${String(index + 1)}`),
      spec: (index) => ({
        arch: flags.arch[index % flags.arch.length] ?? 'amd64',
        cpu: flags.cpu,
        memory: flags.memory,
        ephemeralStorage: '100Gi',
        pods: flags.pods,
        labels: { ...flags.label, ...zoneLabel(index, flags.zones) },
        taints: flags.taint,
      }),
      startDelayMs: flags.startDelay,
      stopDelayMs: flags.stopDelay,
      recordEvents: flags.events,
    })
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    print(`${String(hollow.count)} hollow nodes are Ready after ${seconds} s. They run nothing. Ctrl-C ends.`)
    await interrupted
    const left = hollow.count
    await hollow.stop({ remove: !flags.keep })
    print(flags.keep ? `${String(left)} nodes stay, silent from now on.` : `${String(left)} hollow nodes removed.`)
  } finally {
    cluster.close()
  }
}

const zoneLabel = (index: number, zones: number | undefined): Record<string, string> =>
  zones === undefined ? {} : { 'topology.kubernetes.io/zone': `zone-${String((index % zones) + 1)}` }

/** What a person should know goes to standard error; the rest is noise in a command. */
const stderrLogger: Logger = {
  ...silentLogger,
  warn: report,
  error: report,
  child: () => stderrLogger,
}

function report(message: string, { error, message: detail, ...fields }: Record<string, unknown> = {}): void {
  const cause = error instanceof Error ? error.message : typeof detail === 'string' ? detail : ''
  process.stderr.write(`${message}${cause === '' ? '' : `: ${cause}`} ${JSON.stringify(fields)}\n`)
}
