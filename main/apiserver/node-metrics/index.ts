// metrics.k8s.io: what nodes and containers use right now, from the agents' stats summaries (kubectl top). Nothing is stored.
import type { TypeFact } from '../../../common/api/facts.ts'
import { agentPaths } from '../../../common/channel/agent-api.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { matchesLabels, parseLabelSelector } from '../../../common/machinery/labels.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { notFound, StatusError } from '../../../common/machinery/status.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import { defineOwnKind, type KindDefinition } from '../../kinds/kind.ts'
import { lookupAll, type Registry } from '../registry/context.ts'
import type { ApiCall, CallResult } from '../routes/api-call.ts'
import type { VirtualKind } from '../subresources/subresource.ts'

const group = 'metrics.k8s.io'
const apiVersion = 'metrics.k8s.io/v1beta1'
const statsDeadlineMs = 5_000
const windowSeconds = 10

const metricsFields = (extra: Record<string, { type: TypeFact }>): { fields: Record<string, { type: TypeFact }> } => ({
  fields: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' } },
    timestamp: { type: 'time' },
    window: { type: 'string' },
    ...extra,
  },
})
const name = (kind: string): string => `io.k8s.metrics.v1beta1.${kind}`
const definitions = {
  [name('NodeMetrics')]: metricsFields({ usage: { type: { map: 'quantity' } } }),
  [name('PodMetrics')]: metricsFields({ containers: { type: { array: { ref: name('ContainerMetrics') } } } }),
  [name('ContainerMetrics')]: {
    fields: { name: { type: 'string' as const }, usage: { type: { map: 'quantity' as const } } },
  },
}

const metricsKind = (kind: string, plural: string, scope: KindDefinition['scope']): KindDefinition =>
  defineOwnKind({
    group,
    version: 'v1beta1',
    kind,
    plural,
    singular: '',
    scope,
    schema: { root: name(kind), definitions },
    verbs: ['get', 'list'],
  })

export const metricsKinds: readonly KindDefinition[] = [
  metricsKind('NodeMetrics', 'nodes', 'Cluster'),
  metricsKind('PodMetrics', 'pods', 'Namespaced'),
]

export function nodeMetrics(nodes: NodeConnections): (readonly [string, VirtualKind])[] {
  return [
    [`${group}/nodes`, { perform: (call) => answer(call, nodes, nodeObjects) }],
    [`${group}/pods`, { perform: (call) => answer(call, nodes, podObjects) }],
  ]
}

interface Usage {
  cpu?: { time?: string; usageNanoCores?: number }
  memory?: { workingSetBytes?: number }
}
interface Summary {
  node?: Usage & { nodeName?: string }
  pods?: { podRef?: { name?: string; namespace?: string }; containers?: (Usage & { name?: string })[] }[]
}

interface MetricsObject extends KubeObject {
  timestamp: string
  window: string
}

type Collect = (call: ApiCall, summaries: readonly Summary[]) => MetricsObject[]

async function answer(call: ApiCall, nodes: NodeConnections, collect: Collect): Promise<CallResult> {
  const { info, query, resource } = call
  const objects = collect(call, await readSummaries(call.registry, nodes))
  if (info.verb === 'get') {
    const found = objects.find(({ metadata }) => metadata.name === info.name)
    if (found === undefined) throw notFound(resource.name, info.name)
    return { type: 'plain', code: 200, object: found }
  }
  const selector = parseLabelSelector(query.get('labelSelector') ?? '')
  const items = objects.filter(({ metadata }) => matchesLabels(selector, metadata.labels))
  return { type: 'plain', code: 200, object: { kind: `${resource.kind.kind}List`, apiVersion, metadata: {}, items } }
}

/** Of all connected nodes; one that does not answer in time is left out. */
async function readSummaries(registry: Registry, nodes: NodeConnections): Promise<Summary[]> {
  const names = lookupAll(registry, '', 'nodes')
    .map((stored) => stored.object.metadata.name ?? '')
    .filter((node) => nodes.isConnected(node))
  const summaries = await Promise.all(names.map((node) => readSummary(nodes, node, registry)))
  return summaries.filter((summary) => summary !== undefined)
}

async function readSummary(nodes: NodeConnections, node: string, registry: Registry): Promise<Summary | undefined> {
  try {
    const response = await nodes.request(node, {
      method: 'GET',
      path: agentPaths.statsSummary,
      signal: AbortSignal.timeout(statsDeadlineMs),
    })
    const chunks: Buffer[] = []
    for await (const chunk of response.stream as AsyncIterable<Buffer>) chunks.push(chunk)
    if (response.status !== 200)
      throw new StatusError({ code: response.status, reason: 'InternalError', message: 'stats summary was refused' })
    return JSON.parse(Buffer.concat(chunks).toString()) as Summary
  } catch (error) {
    registry.logger.debug('node gave no stats', { node, error })
    return undefined
  }
}

function nodeObjects({ registry }: ApiCall, summaries: readonly Summary[]): MetricsObject[] {
  const labels = new Map(
    lookupAll(registry, '', 'nodes').map(({ object }) => [object.metadata.name, object.metadata.labels]),
  )
  return summaries.flatMap(({ node }) =>
    node?.nodeName === undefined
      ? []
      : [
          {
            ...describe(registry, 'NodeMetrics', { name: node.nodeName, labels: labels.get(node.nodeName) }, node),
            usage: quantities(node),
          },
        ],
  )
}

function podObjects({ registry, info }: ApiCall, summaries: readonly Summary[]): MetricsObject[] {
  const labels = new Map(
    lookupAll(registry, '', 'pods', info.namespace).map(({ object }) => [
      `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`,
      object.metadata.labels,
    ]),
  )
  return summaries.flatMap(({ pods = [] }) =>
    pods.flatMap(({ podRef = {}, containers = [] }) => {
      const key = `${podRef.namespace ?? ''}/${podRef.name ?? ''}`
      // A pod may be gone from the API while its node still counts it.
      if (!labels.has(key) || (info.namespace !== '' && podRef.namespace !== info.namespace)) return []
      const metadata = { name: podRef.name ?? '', namespace: podRef.namespace ?? '', labels: labels.get(key) }
      return [
        {
          ...describe(registry, 'PodMetrics', metadata, containers[0]),
          containers: containers.map((container) => ({ name: container.name ?? '', usage: quantities(container) })),
        },
      ]
    }),
  )
}

function describe(
  registry: Registry,
  kind: string,
  metadata: KubeObject['metadata'],
  usage: Usage | undefined,
): MetricsObject {
  const now = formatTime(registry.clock.now())
  return {
    kind,
    apiVersion,
    metadata: { ...metadata, creationTimestamp: now },
    timestamp: usage?.cpu?.time ?? now,
    window: `${String(windowSeconds)}s`,
  }
}

const quantities = ({ cpu, memory }: Usage): Record<string, string> => ({
  cpu: `${String(Math.round(cpu?.usageNanoCores ?? 0))}n`,
  memory: `${String(Math.round((memory?.workingSetBytes ?? 0) / 1024))}Ki`,
})
