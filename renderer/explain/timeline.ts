// "What just happened": Events and condition changes merged into one line of plain sentences, newest first.
import type { Event, Node } from '../../common/api/generated/types.ts'
import type { Machine } from '../../common/api/lab/v1alpha1.ts'
import { timeOf } from './duration.ts'
import { reasonWords, unschedulableWords } from './pod-words.ts'
import type { Tone } from './tone.ts'

export interface Happening {
  key: string
  at: number
  tone: Tone
  /** What it happened to. */
  kind: string
  namespace?: string
  name: string
  text: string
  /** Orders what happened in the same second. */
  revision: number
  /** How often, when more than once. */
  count?: number
  /** How many others the same was said of right after. */
  others?: number
  /** A step on the way that matters only to who looks closely. */
  minor?: true
}

export type Detail = 'main' | 'all' | 'trouble'

export function happenings(
  input: { events: Iterable<Event>; machines: Iterable<Machine>; nodes: Iterable<Node> },
  detail: Detail,
  limit: number,
): Happening[] {
  const all: Happening[] = []
  const machines = [...input.machines]
  const told = machines.flatMap(fromMachine)
  all.push(...told)
  for (const event of input.events) {
    const happening = fromEvent(event)
    all.push(isRepeat(happening, told) ? { ...happening, minor: true } : happening)
  }
  const upMachines = new Set(machines.filter(isUp).map(({ metadata }) => metadata.name))
  for (const node of input.nodes) all.push(...fromNode(node, upMachines.has(node.metadata.name)))
  const wanted = all.filter(
    (one) =>
      detail === 'all' || (detail === 'trouble' ? one.tone === 'bad' || one.tone === 'warn' : one.minor !== true),
  )
  wanted.sort((a, b) => b.at - a.at || b.revision - a.revision || a.key.localeCompare(b.key))
  return collapse(wanted, limit)
}

/** A machine's own state says the same as the event that was recorded with it. */
const isRepeat = (event: Happening, told: readonly Happening[]): boolean =>
  event.kind === 'Machine' && told.some(({ name, at }) => name === event.name && Math.abs(at - event.at) < repeatMs)
const repeatMs = 3000

const isUp = ({ status }: Machine): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true

/** One line for the same sentence about many things in a row: 200 pods that find no node are one fact. */
function collapse(sorted: readonly Happening[], limit: number): Happening[] {
  const shown: Happening[] = []
  for (const one of sorted) {
    const last = shown.at(-1)
    if (last !== undefined && last.text === one.text && last.kind === one.kind && last.name !== one.name) {
      shown[shown.length - 1] = { ...last, others: (last.others ?? 0) + 1 }
      continue
    }
    if (shown.length === limit) break
    shown.push(one)
  }
  return shown
}

export const eventTime = (event: Event): number =>
  timeOf(
    event.series?.lastObservedTime ??
      event.lastTimestamp ??
      event.eventTime ??
      event.firstTimestamp ??
      event.metadata.creationTimestamp,
  )

function fromEvent(event: Event): Happening {
  const { involvedObject: about, reason = '', message = '' } = event
  const name = about.name ?? ''
  const words = eventWords(reason, message, about.kind ?? '', name)
  const count = event.series?.count ?? event.count ?? 1
  return {
    key: event.metadata.uid ?? `${event.metadata.namespace ?? ''}/${event.metadata.name ?? ''}`,
    at: eventTime(event),
    revision: Number(event.metadata.resourceVersion ?? 0),
    tone: words.tone ?? (event.type === 'Warning' ? 'warn' : 'idle'),
    kind: about.kind ?? '',
    namespace: about.namespace,
    name,
    text: words.text,
    ...(count > 1 ? { count } : {}),
    ...(minorReasons.has(reason) ? { minor: true as const } : {}),
  }
}

const minorReasons = new Set([
  'Pulling',
  'Pulled',
  'Created',
  'Starting',
  'SuccessfulCreate',
  'SuccessfulDelete',
  'NodeHasSufficientMemory',
  'NodeHasNoDiskPressure',
  'NodeHasSufficientPID',
  'NodeAllocatableEnforced',
  'LeaderElection',
])

/** A sentence for an event. Unknown reasons keep their own message. */
export function eventWords(reason: string, message: string, kind: string, name: string): { text: string; tone?: Tone } {
  switch (reason) {
    case 'Scheduled': {
      const node = / to (\S+)$/.exec(message)?.[1]
      return node === undefined ? { text: message } : { text: `was placed on ${node}`, tone: 'busy' }
    }
    case 'FailedScheduling':
      return { text: `found no node. ${unschedulableWords(message)}`, tone: 'warn' }
    case 'Pulling':
      return { text: `is fetching ${quoted(message)}`, tone: 'busy' }
    case 'Pulled':
      return {
        text: /already present/.test(message)
          ? `found ${quoted(message)} on the node`
          : `has fetched ${quoted(message)}${took(message)}`,
        tone: 'busy',
      }
    case 'Created':
      return { text: 'container was created', tone: 'busy' }
    case 'Started':
      return { text: 'container was started', tone: 'ok' }
    case 'Killing':
      return { text: message === '' ? 'is being stopped' : lowerFirst(message), tone: 'idle' }
    case 'BackOff':
      return {
        text: /image/i.test(message)
          ? `waits before trying to fetch ${quoted(message)} again`
          : 'keeps ending; the node waits before the next start',
        tone: 'bad',
      }
    case 'Unhealthy':
      return { text: lowerFirst(message), tone: 'warn' }
    case 'ScalingReplicaSet': {
      const scaled = /Scaled (up|down) replica set (\S+) (?:from (\d+) )?to (\d+)(?: from (\d+))?/.exec(message)
      if (scaled === null) return { text: lowerFirst(message), tone: 'busy' }
      const from = scaled[3] ?? scaled[5]
      return {
        text: `scales its ReplicaSet ${scaled[2] ?? ''} ${scaled[1] ?? ''}${from === undefined ? '' : ` from ${from}`} to ${scaled[4] ?? ''}`,
        tone: 'busy',
      }
    }
    case 'SuccessfulCreate':
      return { text: `made ${message.replace(/^Created (pod|job): /i, 'the $1 ')}`, tone: 'busy' }
    case 'SuccessfulDelete':
      return { text: `removed ${message.replace(/^Deleted (pod|job): /i, 'the $1 ')}`, tone: 'idle' }
    case 'NodeReady':
      return { text: 'is ready', tone: 'ok' }
    case 'NodeNotReady':
      return { text: kind === 'Pod' ? 'sits on a node that is not ready' : 'is not ready any more', tone: 'bad' }
    case 'Rebooted':
      return { text: 'was booted again' }
    case 'TaintManagerEviction':
      if (message.startsWith('Cancelling')) return { text: 'stays where it is: its node came back', tone: 'ok' }
      return { text: `is evicted from a node that was lost: ${lowerFirst(message)}`, tone: 'warn' }
    case 'RegisteredNode':
      return { text: 'joined the cluster', tone: 'ok' }
    case 'Starting':
      return {
        text:
          kind === 'Node' ? `agent started${message === '' ? '' : `: ${lowerFirst(message)}`}` : lowerFirst(message),
        tone: 'busy',
      }
    case 'FailedCreatePodSandBox':
      return { text: `could not get its network and namespaces: ${message}`, tone: 'bad' }
    default:
      return { text: message === '' ? `${reason} (${kind} ${name})` : lowerFirst(message) }
  }
}

function fromMachine(machine: Machine): Happening[] {
  const name = machine.metadata.name ?? ''
  const key = machine.metadata.uid ?? name
  const found: Happening[] = []
  const base = { kind: 'Machine', name, revision: 0 }
  const status = machine.status ?? {}
  if (machine.metadata.creationTimestamp !== undefined) {
    found.push({
      ...base,
      key: `${key}/created`,
      at: timeOf(machine.metadata.creationTimestamp),
      tone: 'idle',
      text: `was added (${machine.spec.arch})`,
    })
  }
  if (status.startedAt !== undefined) {
    const again = (status.boots ?? 1) > 1
    found.push({
      ...base,
      key: `${key}/boot/${status.startedAt}`,
      at: timeOf(status.startedAt),
      tone: 'busy',
      text: again ? `was powered on again (boot ${String(status.boots)})` : 'was powered on',
    })
  }
  if (status.lastExit !== undefined) {
    const asked = status.lastExit.reason === 'PoweredOff'
    found.push({
      ...base,
      key: `${key}/exit/${status.lastExit.at}`,
      at: timeOf(status.lastExit.at),
      tone: asked ? 'idle' : 'bad',
      text: asked ? 'was powered off' : `died: ${lowerFirst(status.lastExit.message)}`,
    })
  }
  const ready = status.conditions?.find((one) => one.type === 'Ready')
  if (ready?.status === 'True') {
    const seconds = status.bootMs?.ready
    found.push({
      ...base,
      key: `${key}/ready/${ready.lastTransitionTime}`,
      at: timeOf(ready.lastTransitionTime),
      tone: 'ok',
      text: seconds === undefined ? 'is up' : `is up, ${(seconds / 1000).toFixed(1)} s after power-on`,
    })
  }
  return found
}

function fromNode(node: Node, machineIsUp: boolean): Happening[] {
  const name = node.metadata.name ?? ''
  return (node.status?.conditions ?? [])
    .filter((one) => one.lastTransitionTime !== undefined && (one.type === 'Ready' || one.status === 'True'))
    .map((one) => ({
      key: `${node.metadata.uid ?? name}/${one.type}/${one.lastTransitionTime ?? ''}`,
      at: timeOf(one.lastTransitionTime),
      kind: 'Node',
      name,
      revision: 0,
      // Its machine's "is up" is the same news.
      ...(machineIsUp && one.type === 'Ready' && one.status === 'True' ? { minor: true as const } : {}),
      ...nodeConditionWords(one.type, one.status, one.message ?? ''),
    }))
}

function nodeConditionWords(type: string, status: string, message: string): { tone: Tone; text: string } {
  if (type === 'Ready') {
    if (status === 'True') return { tone: 'ok', text: 'reports ready' }
    if (status === 'Unknown')
      return { tone: 'bad', text: 'stopped reporting; its pods move elsewhere if it stays away' }
    return { tone: 'bad', text: `is not ready${message === '' ? '' : `: ${lowerFirst(message)}`}` }
  }
  return { tone: 'warn', text: `has ${type}${message === '' ? '' : `: ${reasonWords(message)}`}` }
}

const lowerFirst = (text: string): string =>
  /^[A-Z][a-z]+(?![A-Za-z])/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
const quoted = (message: string): string => /"([^"]+)"/.exec(message)?.[1] ?? 'the image'
const took = (message: string): string => {
  const span = / in ([\d.]+m?s)/.exec(message)?.[1]
  return span === undefined ? '' : ` in ${span}`
}
