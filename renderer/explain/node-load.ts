// How full a node is: what its pods have reserved, and what the machine uses as the host sees it.
import type { Node, Pod, Quantity } from '../../common/api/generated/types.ts'
import type { Machine } from '../../common/api/lab/v1alpha1.ts'
import { isQuantity, quantityToBytes, quantityToMillis } from '../../common/machinery/quantity.ts'
import { formatBytes } from './duration.ts'

export interface Load {
  /** 0..1 of the capacity; undefined when not measured. */
  used?: number
  reserved: number
  /** "420m of 2 CPU used, 300m reserved". */
  words: string
  /** Figure beside the bar. */
  figure: string
}

const millis = (value: Quantity | undefined): number =>
  value === undefined || !isQuantity(value) ? 0 : quantityToMillis(value)
const bytes = (value: Quantity | undefined): number =>
  value === undefined || !isQuantity(value) ? 0 : quantityToBytes(value)

export function nodeLoad(input: { machine?: Machine; node?: Node; pods: readonly Pod[] }): { cpu: Load; memory: Load } {
  const { machine, node, pods } = input
  const live = pods.filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')
  const sum = (name: 'cpu' | 'memory', read: (value: Quantity | undefined) => number): number =>
    live.reduce(
      (total, pod) =>
        total +
        (pod.spec?.containers ?? []).reduce((part, container) => part + read(container.resources?.requests?.[name]), 0),
      0,
    )
  const cpuTotal =
    millis(node?.status?.allocatable?.['cpu'] ?? node?.status?.capacity?.['cpu']) || (machine?.spec.cpus ?? 1) * 1000
  const memoryNode =
    bytes(node?.status?.allocatable?.['memory'] ?? node?.status?.capacity?.['memory']) ||
    (machine?.spec.memoryMiB ?? 512) * 2 ** 20
  const cpuUsed = machine?.status?.resources?.cpuMillis
  const memoryUsed = machine?.status?.resources?.rssBytes
  const cpuReserved = sum('cpu', millis)
  const memoryReserved = sum('memory', bytes)
  const cpuScale = (machine?.spec.cpus ?? cpuTotal / 1000) * 1000
  return {
    cpu: {
      ...(cpuUsed === undefined ? {} : { used: Math.min(1, cpuUsed / cpuScale) }),
      reserved: Math.min(1, cpuReserved / cpuTotal),
      figure:
        cpuUsed === undefined ? `${cpuText(cpuReserved)} reserved` : `${cpuText(cpuUsed)} of ${cpuText(cpuScale)}`,
      words: `${cpuUsed === undefined ? '' : `The machine uses ${cpuText(cpuUsed)} of ${cpuText(cpuScale)} CPU on this host. `}Pods have reserved ${cpuText(cpuReserved)} of ${cpuText(cpuTotal)}.`,
    },
    memory: {
      // QEMU's own memory is no measure of what the guest uses: the bar shows what pods have reserved.
      reserved: Math.min(1, memoryReserved / memoryNode),
      figure: `${formatBytes(memoryReserved)} of ${formatBytes(memoryNode)} reserved`,
      words: `${memoryUsed === undefined ? '' : `The machine takes ${formatBytes(memoryUsed)} of this host's memory. `}Pods have reserved ${formatBytes(memoryReserved)} of ${formatBytes(memoryNode)}.`,
    },
  }
}

export const cpuText = (value: number): string =>
  value < 1000 ? `${String(Math.round(value))}m` : `${String(Math.round(value / 100) / 10)}`
