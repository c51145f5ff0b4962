// Bringing the lab to what was asked: writes Lab and Machines, then follows the machines to Ready with a line per change.
import type { Machine } from '../../common/api/lab/v1alpha1.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { machines, nodes } from '../../common/client/resources.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { formatApiVersion, parseApiVersion } from '../../common/machinery/meta.ts'
import { isReason } from '../../common/machinery/status.ts'
import { CodedError } from '../engine/coded-error.ts'
import { discoverResource } from './discover-resource.ts'

/** Server-side create-or-merge of one object, as `kubectl apply` would for a new one. */
export async function applyObject(client: KubeClient, object: KubeObject): Promise<'created' | 'configured'> {
  const { group, version } = parseApiVersion(object.apiVersion)
  const ref = await discoverResource(client.transport, formatApiVersion(group, version), object.kind)
  const namespace = ref.namespaced ? (object.metadata.namespace ?? 'default') : undefined
  const named = { ...object, metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) } }
  try {
    await client.create(ref, named)
    return 'created'
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
    await client.patch(
      ref,
      { name: object.metadata.name ?? '', ...(namespace === undefined ? {} : { namespace }) },
      'application/merge-patch+json',
      named,
    )
    return 'configured'
  }
}

export interface FollowOptions {
  client: KubeClient
  deadlineMs: number
  onLine: (line: string) => void
  signal?: AbortSignal
}

const isReady = (conditions: readonly { type: string; status: string }[] | undefined): boolean =>
  conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

interface Progress {
  ready: boolean
  failed: string | undefined
  text: string
}

function progressOf(machine: Machine, nodeReady: boolean): Progress {
  const name = machine.metadata.name ?? ''
  const status = machine.status ?? {}
  if (machine.spec.powerState === 'Stopped')
    return { ready: true, failed: undefined, text: `${name}: stopped, as its power state says` }
  if (status.phase === 'Failed')
    return {
      ready: false,
      failed: `${name}: ${status.message ?? status.reason ?? 'failed'}`,
      text: `${name}: failed: ${status.message ?? ''}`,
    }
  if (nodeReady && isReady(status.conditions))
    return {
      ready: true,
      failed: undefined,
      text: `${name}: Ready (${machine.spec.arch}, ${status.accelerator ?? 'tcg'})`,
    }
  return {
    ready: false,
    failed: undefined,
    text: `${name}: ${status.phase ?? 'Pending'}${status.message === undefined ? '' : `, ${status.message}`}`,
  }
}

/** Resolves when every machine that should run is Ready; throws with what each one still waits for at the deadline. */
export async function followToReady({ client, deadlineMs, onLine, signal }: FollowOptions): Promise<void> {
  const deadline = AbortSignal.any([AbortSignal.timeout(deadlineMs), ...(signal ? [signal] : [])])
  const said = new Map<string, string>()
  const started = Date.now()
  let last: Progress[] = []
  const look = async (): Promise<boolean> => {
    const [machineList, nodeList] = await Promise.all([client.list(machines), client.list(nodes)])
    const readyNodes = new Set(
      nodeList.items.filter((node) => isReady(node.status?.conditions)).map((node) => node.metadata.name),
    )
    last = machineList.items.map((machine) => progressOf(machine, readyNodes.has(machine.metadata.name)))
    for (const [index, progress] of last.entries()) {
      const name = machineList.items[index]?.metadata.name ?? ''
      if (said.get(name) === progress.text) continue
      said.set(name, progress.text)
      onLine(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${progress.text}`)
      if (progress.failed !== undefined)
        throw new CodedError('EngineStartFailed', progress.failed, 'See: orrery status, orrery console MACHINE')
    }
    return last.every((progress) => progress.ready)
  }
  try {
    if (await look()) return
    // Two watches wake one look; a look reads both collections, so nothing is missed between them.
    const wake = new AbortController()
    const both = AbortSignal.any([deadline, wake.signal])
    await new Promise<void>((resolve, reject) => {
      let looking = Promise.resolve(false)
      const onEvent = (): void => {
        looking = looking.then(async (done) => done || (await look()))
        looking.then((done) => {
          if (done) resolve()
        }, reject)
      }
      const drain = async (stream: AsyncIterable<unknown>): Promise<void> => {
        for await (const _event of stream) onEvent()
        throw new CodedError('EngineStartFailed', 'the engine closed the watch', 'See: orrery status')
      }
      for (const ref of [machines, nodes] as const) drain(client.watch<KubeObject>(ref, { signal: both })).catch(reject)
      onEvent()
    }).finally(() => {
      wake.abort()
    })
  } catch (error) {
    if (!deadline.aborted || error instanceof CodedError) throw error
    const waiting = last.filter((progress) => !progress.ready).map((progress) => `  ${progress.text}`)
    throw new CodedError(
      'Timeout',
      `Not Ready after ${String(Math.round(deadlineMs / 1000))} s:\n${waiting.join('\n')}`,
      'Look at a machine with: orrery console MACHINE',
      { cause: error },
    )
  }
}
