// Objects that many tests need, and the kubelet's part of their lives.
import type { Deployment, Node, Pod, PodCondition } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { nodes, pods } from '../../../common/client/resources.ts'
import { formatTime } from '../../../common/machinery/clock.ts'

export function testNode(
  name: string,
  change: { labels?: Record<string, string>; cpu?: string; memory?: string; pods?: string; spec?: Node['spec'] } = {},
): Node {
  const allocatable = {
    cpu: change.cpu ?? '4',
    memory: change.memory ?? '8Gi',
    pods: change.pods ?? '110',
    'ephemeral-storage': '100Gi',
  }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        ...change.labels,
      },
    },
    spec: change.spec ?? {},
    status: { capacity: allocatable, allocatable, conditions: [{ type: 'Ready', status: 'True' }] },
  }
}

/** Creates the node with its status, as a kubelet does in two steps. */
export async function addNode(client: KubeClient, node: Node): Promise<Node> {
  const { metadata } = await client.create(nodes, node)
  const target = { name: metadata.name ?? '', subresource: 'status' }
  return client.patch(nodes, target, 'application/merge-patch+json', { status: node.status })
}

export function testPod(
  name: string,
  change: Partial<NonNullable<Pod['spec']>> = {},
  labels: Record<string, string> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { containers: [{ name: 'main', image: 'docker.io/library/hello:1.0' }], ...change },
  }
}

export function testDeployment(
  name: string,
  replicas: number,
  change: Partial<NonNullable<Deployment['spec']>> = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'docker.io/library/hello:1.0' }] },
      },
      ...change,
    },
  }
}

export interface PodStateChange {
  phase?: string
  ready?: boolean
  podIP?: string
  nowMs?: number
}

/** Reports the pod's status as its kubelet would. */
export async function reportPod(
  client: KubeClient,
  pod: Pod,
  { phase = 'Running', ready = true, podIP, nowMs = Date.now() }: PodStateChange = {},
): Promise<Pod> {
  const { name = '', namespace = '' } = pod.metadata
  const current = await client.get(pods, name, namespace)
  const status = ready ? 'True' : 'False'
  const at = formatTime(nowMs)
  const conditions: PodCondition[] = [
    ...(current.status?.conditions ?? []).filter(({ type }) => type !== 'Ready' && type !== 'ContainersReady'),
    { type: 'Ready', status, lastTransitionTime: at },
    { type: 'ContainersReady', status, lastTransitionTime: at },
  ]
  const address = podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }
  return client.updateStatus(pods, { ...current, status: { ...current.status, phase, conditions, ...address } })
}
