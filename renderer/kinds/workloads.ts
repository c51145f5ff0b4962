import IconPod from '~icons/lucide/box'
import IconDaemon from '~icons/lucide/copy-check'
import IconReplica from '~icons/lucide/copy'
import IconDeployment from '~icons/lucide/package'
import IconJob from '~icons/lucide/list-checks'
import type { DaemonSet, Deployment, Job, Pod, PodTemplateSpec, ReplicaSet } from '../../common/api/generated/types.ts'
import { resources } from '../api/index.ts'
import { timeOf } from '../explain/duration.ts'
import { podState, readyContainers, restarts } from '../explain/pod-state.ts'
import { daemonSetState, deploymentState, jobState, replicaSetState } from '../explain/workload-state.ts'
import { ageColumn, defineKindView, labelsText, nameColumn, namespaceColumn, type SummaryRow } from './kind-view.ts'

const imagesOf = (template: PodTemplateSpec | undefined): string =>
  (template?.spec?.containers ?? []).map((container) => container.image ?? '').join(', ')
const shortImage = (image: string): string => image.replace(/^docker\.io\/(library\/)?/, '')

const templateRows = (template: PodTemplateSpec | undefined): SummaryRow[] => {
  const arch = template?.spec?.nodeSelector?.['kubernetes.io/arch']
  return [
    { term: 'Image', text: imagesOf(template), mono: true },
    ...(arch === undefined ? [] : [{ term: 'Architecture', arch }]),
    { term: 'Pod labels', text: labelsText(template?.metadata?.labels), mono: true },
  ]
}

export const deployments = defineKindView<Deployment>({
  resource: resources.deployments,
  title: 'Deployments',
  singular: 'Deployment',
  about: 'Keeps a number of identical pods running and replaces them step by step when their template changes.',
  icon: IconDeployment,
  group: 'Workloads',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'state', title: 'State', track: 'minmax(110px, 1fr)', state: deploymentState },
    {
      id: 'ready',
      title: 'Ready',
      track: '56px',
      align: 'end',
      text: (one) => `${String(one.status?.readyReplicas ?? 0)}/${String(one.spec?.replicas ?? 1)}`,
      sort: (one) => one.status?.readyReplicas ?? 0,
    },
    {
      id: 'uptodate',
      title: 'Updated',
      track: '60px',
      align: 'end',
      minTableWidth: 760,
      text: (one) => one.status?.updatedReplicas ?? 0,
    },
    {
      id: 'image',
      title: 'Image',
      track: 'minmax(120px, 2fr)',
      mono: true,
      minTableWidth: 700,
      text: (one) => shortImage(imagesOf(one.spec?.template)),
    },
    ageColumn(),
  ],
  state: deploymentState,
  summary: (one) => [
    {
      term: 'Replicas',
      text: `${String(one.status?.readyReplicas ?? 0)} ready of ${String(one.spec?.replicas ?? 1)} wanted, ${String(one.status?.updatedReplicas ?? 0)} of the newest version`,
    },
    {
      term: 'Update',
      text:
        one.spec?.strategy?.type === 'Recreate'
          ? 'All old pods stop before new ones start (Recreate)'
          : `Step by step: ${String(one.spec?.strategy?.rollingUpdate?.maxSurge ?? '25%')} more, ${String(one.spec?.strategy?.rollingUpdate?.maxUnavailable ?? '25%')} fewer at most`,
    },
    { term: 'Revision', text: one.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '' },
    ...templateRows(one.spec?.template),
  ],
  can: { scale: true, restart: true, rollback: true },
})

export const replicaSets = defineKindView<ReplicaSet>({
  resource: resources.replicaSets,
  title: 'ReplicaSets',
  singular: 'ReplicaSet',
  about: 'One version of a deployment: makes pods from its template until there are as many as wanted.',
  icon: IconReplica,
  group: 'Workloads',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'state', title: 'State', track: 'minmax(100px, 1fr)', state: replicaSetState },
    {
      id: 'ready',
      title: 'Ready',
      track: '56px',
      align: 'end',
      text: (one) => `${String(one.status?.readyReplicas ?? 0)}/${String(one.spec?.replicas ?? 1)}`,
      sort: (one) => one.status?.readyReplicas ?? 0,
    },
    {
      id: 'revision',
      title: 'Revision',
      track: '60px',
      align: 'end',
      minTableWidth: 760,
      text: (one) => one.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '',
    },
    {
      id: 'image',
      title: 'Image',
      track: 'minmax(120px, 2fr)',
      mono: true,
      minTableWidth: 700,
      text: (one) => shortImage(imagesOf(one.spec?.template)),
    },
    ageColumn(),
  ],
  state: replicaSetState,
  faded: (one) => one.spec?.replicas === 0,
  summary: (one) => [
    {
      term: 'Replicas',
      text: `${String(one.status?.readyReplicas ?? 0)} ready of ${String(one.spec?.replicas ?? 1)} wanted`,
    },
    { term: 'Revision', text: one.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '' },
    ...templateRows(one.spec?.template),
  ],
  can: { scale: true },
})

export const daemonSets = defineKindView<DaemonSet>({
  resource: resources.daemonSets,
  title: 'DaemonSets',
  singular: 'DaemonSet',
  about: 'Runs one pod on every node that matches.',
  icon: IconDaemon,
  group: 'Workloads',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'state', title: 'State', track: 'minmax(100px, 1fr)', state: daemonSetState },
    {
      id: 'ready',
      title: 'Ready',
      track: '56px',
      align: 'end',
      text: (one) => `${String(one.status?.numberReady ?? 0)}/${String(one.status?.desiredNumberScheduled ?? 0)}`,
      sort: (one) => one.status?.numberReady ?? 0,
    },
    {
      id: 'image',
      title: 'Image',
      track: 'minmax(120px, 2fr)',
      mono: true,
      minTableWidth: 700,
      text: (one) => shortImage(imagesOf(one.spec?.template)),
    },
    ageColumn(),
  ],
  state: daemonSetState,
  summary: (one) => [
    {
      term: 'Nodes',
      text: `${String(one.status?.numberReady ?? 0)} ready of ${String(one.status?.desiredNumberScheduled ?? 0)} that match`,
    },
    ...templateRows(one.spec?.template),
  ],
  can: { restart: true },
})

export const jobs = defineKindView<Job>({
  resource: resources.jobs,
  title: 'Jobs',
  singular: 'Job',
  about: 'Runs pods until a number of them have ended with success, then is done.',
  icon: IconJob,
  group: 'Workloads',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'state', title: 'State', track: 'minmax(100px, 1fr)', state: jobState },
    {
      id: 'done',
      title: 'Succeeded',
      track: '80px',
      align: 'end',
      text: (one) => `${String(one.status?.succeeded ?? 0)}/${String(one.spec?.completions ?? 1)}`,
      sort: (one) => one.status?.succeeded ?? 0,
    },
    {
      id: 'failed',
      title: 'Failed',
      track: '56px',
      align: 'end',
      minTableWidth: 760,
      text: (one) => one.status?.failed ?? 0,
    },
    {
      id: 'image',
      title: 'Image',
      track: 'minmax(120px, 2fr)',
      mono: true,
      minTableWidth: 700,
      text: (one) => shortImage(imagesOf(one.spec?.template)),
    },
    ageColumn(),
  ],
  state: jobState,
  summary: (one) => [
    {
      term: 'Succeeded',
      text: `${String(one.status?.succeeded ?? 0)} of ${String(one.spec?.completions ?? 1)}, at most ${String(one.spec?.parallelism ?? 1)} at a time`,
    },
    {
      term: 'Failed',
      text: `${String(one.status?.failed ?? 0)}, gives up after ${String(one.spec?.backoffLimit ?? 6)} more tries`,
    },
    ...(one.status?.startTime === undefined ? [] : [{ term: 'Started', time: timeOf(one.status.startTime) }]),
    ...(one.status?.completionTime === undefined
      ? []
      : [{ term: 'Finished', time: timeOf(one.status.completionTime) }]),
    ...templateRows(one.spec?.template),
  ],
})

export const pods = defineKindView<Pod>({
  resource: resources.pods,
  title: 'Pods',
  singular: 'Pod',
  about: 'One or more containers that run together on one node and share its network address.',
  icon: IconPod,
  group: 'Workloads',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'state', title: 'State', track: 'minmax(124px, 1.4fr)', state: podState },
    {
      id: 'ready',
      title: 'Ready',
      track: '48px',
      align: 'end',
      text: (one) => `${String(readyContainers(one).ready)}/${String(readyContainers(one).total)}`,
    },
    { id: 'restarts', title: 'Restarts', track: '60px', align: 'end', text: restarts, minTableWidth: 560 },
    { id: 'node', title: 'Node', track: 'minmax(70px, 1fr)', mono: true, text: (one) => one.spec?.nodeName ?? '' },
    {
      id: 'ip',
      title: 'Address',
      track: '104px',
      mono: true,
      minTableWidth: 820,
      text: (one) => one.status?.podIP ?? '',
    },
    ageColumn(),
  ],
  state: podState,
  faded: (one) => one.metadata.deletionTimestamp !== undefined || one.status?.phase === 'Succeeded',
  summary: (one) => [
    ...(one.spec?.nodeName === undefined || one.spec.nodeName === ''
      ? [{ term: 'Node', text: 'none yet' }]
      : [{ term: 'Node', text: one.spec.nodeName, mono: true, to: `/workloads/nodes/_/${one.spec.nodeName}` }]),
    { term: 'Address', text: one.status?.podIP ?? 'none yet', mono: true },
    { term: 'Restarts', text: String(restarts(one)) },
    { term: 'Quality of service', text: one.status?.qosClass ?? '' },
    { term: 'Restart policy', text: one.spec?.restartPolicy ?? '' },
    { term: 'Service account', text: one.spec?.serviceAccountName ?? '', mono: true },
    { term: 'Labels', text: labelsText(one.metadata.labels), mono: true },
  ],
})
