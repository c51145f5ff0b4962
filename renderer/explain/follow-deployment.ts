// A deployment's road to Ready as steps with times, derived from nothing but the objects as they are now.
import type { Deployment, EndpointSlice, Event, Pod, ReplicaSet, Service } from '../../common/api/generated/types.ts'
import type { SchedulingDecision } from '../../common/api/lab/v1alpha1.ts'
import { timeOf } from './duration.ts'
import { podState } from './pod-state.ts'
import { eventTime } from './timeline.ts'

export interface FollowInput {
  deployment: Deployment | undefined
  replicaSets: readonly ReplicaSet[]
  pods: readonly Pod[]
  events: readonly Event[]
  decisions: readonly SchedulingDecision[]
  service?: Service
  endpointSlices: readonly EndpointSlice[]
  /** The form asked for a Service. */
  wantsService: boolean
}

export interface FollowStep {
  id: 'deployment' | 'replicaset' | 'pods' | 'scheduled' | 'image' | 'started' | 'ready' | 'service'
  title: string
  /** What happens in this step, for someone who sees it the first time. */
  about: string
  state: 'waiting' | 'active' | 'done' | 'stuck'
  /** When it was complete (or, while it is not, when its first part was), ms since epoch. */
  at?: number
  /** Progress or result: "2 of 3", "node-1 (2), node-2 (1)". */
  detail: string
}

export function followSteps(input: FollowInput): FollowStep[] {
  const { deployment, pods } = input
  const wanted = deployment?.spec?.replicas ?? 1
  const set = newestReplicaSet(input)
  const live = pods.filter(
    (pod) =>
      set === undefined || pod.metadata.ownerReferences?.some((owner) => owner.uid === set.metadata.uid) === true,
  )
  const stuckPod = live.find((pod) => podState(pod).tone === 'bad' || podState(pod).tone === 'warn')
  const steps: FollowStep[] = []

  steps.push({
    id: 'deployment',
    title: 'Deployment accepted',
    about: 'The API server checked it and wrote it to the store. From here on controllers do the rest.',
    state: deployment === undefined ? 'active' : 'done',
    at: deployment === undefined ? undefined : timeOf(deployment.metadata.creationTimestamp),
    detail: deployment === undefined ? '' : `in ${deployment.metadata.namespace ?? ''}`,
  })
  steps.push({
    id: 'replicaset',
    title: 'ReplicaSet made',
    about: 'The deployment controller keeps one ReplicaSet per version of the pod template, so that it can roll back.',
    state: set === undefined ? 'waiting' : 'done',
    at: set === undefined ? undefined : timeOf(set.metadata.creationTimestamp),
    detail: set?.metadata.name ?? '',
  })
  steps.push(
    countStep({
      id: 'pods',
      title: 'Pods made',
      about: 'The replica set controller makes as many pods as there should be replicas.',
      times: live.map((pod) => timeOf(pod.metadata.creationTimestamp)),
      wanted,
      detail: '',
    }),
  )
  const placed = live.filter((pod) => (pod.spec?.nodeName ?? '') !== '')
  steps.push(
    countStep({
      id: 'scheduled',
      title: 'Nodes chosen',
      about: 'The scheduler filters the nodes that can take the pod and scores the rest.',
      times: placed.map((pod) => conditionTime(pod, 'PodScheduled') ?? timeOf(pod.metadata.creationTimestamp)),
      wanted,
      detail: tally(placed.map((pod) => pod.spec?.nodeName ?? '')),
      stuck: live.length > placed.length && stuckPod !== undefined && (stuckPod.spec?.nodeName ?? '') === '',
    }),
  )
  const started = live.filter(hasStarted)
  const imageEvents = input.events.filter((event) => event.reason === 'Pulled')
  const withImage = live.filter(
    (pod) => hasStarted(pod) || imageEvents.some((event) => event.involvedObject.uid === pod.metadata.uid),
  )
  steps.push(
    countStep({
      id: 'image',
      title: 'Image on the node',
      about: "Each node fetches the image's layers from the lab's registry unless it has them already.",
      times: withImage.map((pod) => firstEventTime(imageEvents, pod) ?? startTime(pod) ?? 0),
      wanted,
      detail: imageDetail(imageEvents, live),
      stuck: stuckPod !== undefined && /Image/.test(podState(stuckPod).label),
    }),
  )
  steps.push(
    countStep({
      id: 'started',
      title: 'Containers started',
      about: 'The runtime creates namespaces and a cgroup, and starts the program in them.',
      times: started.map((pod) => startTime(pod) ?? 0),
      wanted,
      detail: '',
      stuck:
        stuckPod !== undefined && (stuckPod.spec?.nodeName ?? '') !== '' && !/Image/.test(podState(stuckPod).label),
    }),
  )
  const ready = live.filter(
    (pod) => pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true,
  )
  steps.push(
    countStep({
      id: 'ready',
      title: 'Ready',
      about: 'Readiness probes succeeded (or there are none): the pods may get traffic.',
      times: ready.map((pod) => conditionTime(pod, 'Ready') ?? 0),
      wanted,
      detail: '',
    }),
  )
  if (input.wantsService) {
    const addresses = input.endpointSlices
      .flatMap((slice) => slice.endpoints ?? [])
      .filter((endpoint) => endpoint.conditions?.ready !== false)
    steps.push({
      id: 'service',
      title: 'Service has endpoints',
      about:
        'The endpoint slice controller lists the ready pods behind the Service; every node compiles that into its packet rules.',
      state:
        input.service === undefined
          ? 'waiting'
          : addresses.length >= wanted && wanted > 0
            ? 'done'
            : addresses.length > 0
              ? 'active'
              : 'waiting',
      at:
        addresses.length > 0
          ? Math.max(0, ...ready.map((pod) => conditionTime(pod, 'Ready') ?? 0)) || undefined
          : undefined,
      detail: addresses.length === 0 ? '' : addresses.map((endpoint) => endpoint.addresses[0] ?? '').join(', '),
    })
  }
  return activateNext(steps)
}

interface CountStep {
  id: FollowStep['id']
  title: string
  about: string
  times: number[]
  wanted: number
  detail: string
  stuck?: boolean
}

function countStep(step: CountStep): FollowStep {
  const { times, wanted, stuck } = step
  const done = times.length >= wanted
  const count = done && wanted === 1 ? '' : `${String(Math.min(times.length, wanted))} of ${String(wanted)}`
  return {
    id: step.id,
    title: step.title,
    about: step.about,
    state: done ? 'done' : stuck === true ? 'stuck' : times.length > 0 ? 'active' : 'waiting',
    at: times.length > 0 ? Math.max(...times) || undefined : undefined,
    detail: [count, step.detail].filter((part) => part !== '').join(' · '),
  }
}

/** The first step that waits is the one that is being worked on. */
function activateNext(steps: FollowStep[]): FollowStep[] {
  if (steps.some((step) => step.state === 'stuck')) return steps
  const next = steps.findIndex((step) => step.state !== 'done')
  return steps.map((step, index) => (index === next ? { ...step, state: 'active' } : step))
}

function newestReplicaSet(input: FollowInput): ReplicaSet | undefined {
  const revision = input.deployment?.metadata.annotations?.['deployment.kubernetes.io/revision']
  const sets = [...input.replicaSets].sort(
    (a, b) => timeOf(b.metadata.creationTimestamp) - timeOf(a.metadata.creationTimestamp),
  )
  return (
    sets.find(
      (set) => revision !== undefined && set.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision,
    ) ?? sets[0]
  )
}

const hasStarted = (pod: Pod): boolean =>
  (pod.status?.containerStatuses?.length ?? 0) > 0 &&
  (pod.status?.containerStatuses ?? []).every(
    (status) => status.state?.running !== undefined || status.state?.terminated?.exitCode === 0,
  )

function startTime(pod: Pod): number | undefined {
  const times = (pod.status?.containerStatuses ?? []).map((status) =>
    timeOf(status.state?.running?.startedAt ?? status.state?.terminated?.startedAt),
  )
  return times.length === 0 ? undefined : Math.max(...times)
}

function conditionTime(pod: Pod, type: string): number | undefined {
  const found = pod.status?.conditions?.find((one) => one.type === type && one.status === 'True')
  return found?.lastTransitionTime === undefined ? undefined : timeOf(found.lastTransitionTime)
}

function firstEventTime(events: readonly Event[], pod: Pod): number | undefined {
  const found = events.find((event) => event.involvedObject.uid === pod.metadata.uid)
  return found === undefined ? undefined : eventTime(found)
}

function imageDetail(events: readonly Event[], pods: readonly Pod[]): string {
  const uids = new Set(pods.map((pod) => pod.metadata.uid))
  const own = events.filter((event) => uids.has(event.involvedObject.uid))
  const present = own.filter((event) => /already present/.test(event.message ?? '')).length
  const fetched = own.length - present
  const parts = [
    fetched > 0 ? `fetched on ${String(fetched)}` : '',
    present > 0 ? `already there for ${String(present)}` : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function tally(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, count]) => (names.length === 1 ? name : `${name} × ${String(count)}`)).join(', ')
}
