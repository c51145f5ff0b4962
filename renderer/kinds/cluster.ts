import IconEvent from '~icons/lucide/activity'
import IconMachine from '~icons/lucide/cpu'
import IconNamespace from '~icons/lucide/folder'
import IconNode from '~icons/lucide/server'
import type { Event, Namespace, Node } from '../../common/api/generated/types.ts'
import type { Machine } from '../../common/api/lab/v1alpha1.ts'
import { resources } from '../api/index.ts'
import { eventTime } from '../explain/timeline.ts'
import { machineState, namespaceState, nodeState } from '../explain/workload-state.ts'
import { ageColumn, defineKindView, nameColumn } from './kind-view.ts'

const address = (node: Node, type: string): string =>
  node.status?.addresses?.find((one) => one.type === type)?.address ?? ''

export const events = defineKindView<Event>({
  resource: resources.events,
  title: 'Events',
  singular: 'Event',
  about: 'What components reported while they worked; kept for a while, not for ever.',
  icon: IconEvent,
  group: 'Cluster',
  columns: [
    { id: 'last', title: 'Last seen', track: '68px', time: eventTime },
    {
      id: 'type',
      title: 'Type',
      track: '88px',
      state: (one) =>
        one.type === 'Warning' ? { tone: 'warn', label: 'Warning' } : { tone: 'idle', label: one.type ?? 'Normal' },
    },
    { id: 'reason', title: 'Reason', track: 'minmax(100px, 1fr)', text: (one) => one.reason ?? '' },
    {
      id: 'object',
      title: 'About',
      track: 'minmax(120px, 1.6fr)',
      mono: true,
      text: (one) => `${one.involvedObject.kind ?? ''} ${one.involvedObject.name ?? ''}`,
    },
    { id: 'message', title: 'Message', track: 'minmax(160px, 4fr)', text: (one) => one.message ?? '' },
    {
      id: 'count',
      title: 'Count',
      track: '48px',
      align: 'end',
      minTableWidth: 700,
      text: (one) => one.series?.count ?? one.count ?? 1,
    },
  ],
  can: { edit: false },
})

export const nodes = defineKindView<Node>({
  resource: resources.nodes,
  title: 'Nodes',
  singular: 'Node',
  about: 'A machine as the cluster sees it: what it can hold, and whether its agent reports.',
  icon: IconNode,
  group: 'Cluster',
  columns: [
    nameColumn(),
    { id: 'state', title: 'State', track: 'minmax(110px, 1fr)', state: nodeState },
    { id: 'arch', title: 'Architecture', track: '84px', badge: (one) => one.status?.nodeInfo?.architecture ?? '' },
    { id: 'address', title: 'Address', track: '112px', mono: true, text: (one) => address(one, 'InternalIP') },
    {
      id: 'cidr',
      title: 'Pod addresses',
      track: '120px',
      mono: true,
      minTableWidth: 760,
      text: (one) => one.spec?.podCIDR ?? '',
    },
    {
      id: 'version',
      title: 'Agent',
      track: 'minmax(80px, 1fr)',
      minTableWidth: 860,
      text: (one) => one.status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      id: 'runtime',
      title: 'Runtime',
      track: 'minmax(110px, 1fr)',
      minTableWidth: 960,
      text: (one) => one.status?.nodeInfo?.containerRuntimeVersion ?? '',
    },
    ageColumn(),
  ],
  state: nodeState,
  summary: (one) => [
    { term: 'Architecture', arch: one.status?.nodeInfo?.architecture ?? '' },
    { term: 'Address', text: address(one, 'InternalIP'), mono: true },
    { term: 'Pod addresses', text: one.spec?.podCIDR ?? '', mono: true },
    {
      term: 'Capacity',
      text: `${String(one.status?.capacity?.['cpu'] ?? '?')} CPU, ${String(one.status?.capacity?.['memory'] ?? '?')} memory, ${String(one.status?.capacity?.['pods'] ?? '?')} pods`,
    },
    { term: 'Kernel', text: one.status?.nodeInfo?.kernelVersion ?? '', mono: true },
    { term: 'Runtime', text: one.status?.nodeInfo?.containerRuntimeVersion ?? '', mono: true },
    { term: 'System', text: one.status?.nodeInfo?.osImage ?? '' },
    {
      term: 'Taints',
      text: (one.spec?.taints ?? [])
        .map((taint) => `${taint.key}${taint.value === undefined ? '' : `=${taint.value}`}:${taint.effect}`)
        .join(', '),
      mono: true,
    },
  ],
})

export const namespaces = defineKindView<Namespace>({
  resource: resources.namespaces,
  title: 'Namespaces',
  singular: 'Namespace',
  about: 'A separate space for names; deleting it deletes everything in it.',
  icon: IconNamespace,
  group: 'Cluster',
  columns: [
    nameColumn(),
    { id: 'state', title: 'State', track: 'minmax(110px, 1fr)', state: namespaceState },
    ageColumn(),
  ],
  state: namespaceState,
})

export const machines = defineKindView<Machine>({
  resource: resources.machines,
  title: 'Machines',
  singular: 'Machine',
  about: 'The virtual machine under a node: its processor, memory, disk, and whether it should run.',
  icon: IconMachine,
  group: 'Cluster',
  columns: [
    nameColumn(),
    { id: 'state', title: 'State', track: 'minmax(110px, 1fr)', state: (one) => machineState(one, undefined) },
    { id: 'arch', title: 'Architecture', track: '84px', badge: (one) => one.spec.arch },
    { id: 'cpus', title: 'CPUs', track: '48px', align: 'end', text: (one) => one.spec.cpus ?? '' },
    { id: 'memory', title: 'Memory MiB', track: '80px', align: 'end', text: (one) => one.spec.memoryMiB ?? '' },
    {
      id: 'accelerator',
      title: 'Accelerator',
      track: '84px',
      minTableWidth: 700,
      text: (one) => one.status?.accelerator ?? '',
    },
    {
      id: 'boots',
      title: 'Boots',
      track: '48px',
      align: 'end',
      minTableWidth: 760,
      text: (one) => one.status?.boots ?? 0,
    },
    ageColumn(),
  ],
  state: (one) => machineState(one, undefined),
  summary: (one) => [
    { term: 'Architecture', arch: one.spec.arch },
    {
      term: 'Size',
      text: `${String(one.spec.cpus ?? 1)} CPU, ${String(one.spec.memoryMiB ?? 512)} MiB memory, ${String(one.spec.diskGiB ?? 8)} GiB disk`,
    },
    { term: 'Accelerator', text: one.status?.accelerator ?? '' },
    { term: 'LAN address', text: one.status?.lanAddress ?? '', mono: true },
    {
      term: 'Boots',
      text: `${String(one.status?.boots ?? 0)}, of which ${String(one.status?.crashes ?? 0)} after a crash`,
    },
    ...(one.status?.lastExit === undefined ? [] : [{ term: 'Last exit', text: one.status.lastExit.message }]),
  ],
})
