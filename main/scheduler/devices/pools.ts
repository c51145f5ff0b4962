// Pure: the devices that drivers offer, pool by pool, and which of them a node can reach.
import type {
  Node,
  NodeSelector,
  ResourceV1CounterSet,
  ResourceV1Device,
  ResourceV1ResourceSlice,
} from '../../../common/api/generated/types.ts'
import { compileTerm } from '../state/node-selection.ts'

export interface OfferedDevice {
  /** "driver/pool/device" */
  id: string
  driver: string
  pool: Pool
  device: ResourceV1Device
  /** Where it can be used. */
  reach: Reach
}

export interface Reach {
  nodeName?: string
  allNodes?: boolean
  nodeSelector?: NodeSelector
}

export interface Pool {
  /** "driver/pool" */
  key: string
  driver: string
  name: string
  /** Its driver is just replacing it: not all of its slices are there. */
  incomplete: boolean
  /** Two devices have one name. */
  invalid: boolean
  counterSets: readonly ResourceV1CounterSet[]
  devices: OfferedDevice[]
}

/** Of each pool the newest generation. In the order of their names. */
export function gatherPools(slices: readonly ResourceV1ResourceSlice[]): Pool[] {
  const byPool = new Map<string, ResourceV1ResourceSlice[]>()
  for (const slice of slices) {
    const { driver, pool } = slice.spec
    const key = `${driver}/${pool.name}`
    const known = byPool.get(key)
    const generation = known?.[0]?.spec.pool.generation ?? 0
    if (known === undefined || pool.generation > generation) byPool.set(key, [slice])
    else if (pool.generation === generation) known.push(slice)
  }
  return [...byPool].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, of]) => poolOf(key, of))
}

function poolOf(key: string, slices: ResourceV1ResourceSlice[]): Pool {
  const ordered = slices.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const { driver = '', pool: { name = '', resourceSliceCount = 0 } = {} } = ordered[0]?.spec ?? {}
  const pool: Pool = {
    key,
    driver,
    name,
    incomplete: ordered.length !== resourceSliceCount,
    invalid: false,
    counterSets: ordered.flatMap(({ spec }) => spec.sharedCounters ?? []),
    devices: [],
  }
  for (const { spec } of ordered)
    for (const device of spec.devices ?? []) {
      const reach = spec.perDeviceNodeSelection === true ? device : spec
      pool.devices.push({ id: `${key}/${device.name}`, driver, pool, device, reach })
    }
  pool.invalid = new Set(pool.devices.map(({ id }) => id)).size !== pool.devices.length
  return pool
}

export function reaches({ nodeName, allNodes, nodeSelector }: Reach, node: Node): boolean {
  if (nodeName !== undefined && nodeName !== '') return node.metadata.name === nodeName
  return allNodes === true || (nodeSelector !== undefined && selects(nodeSelector, node))
}

export const selects = ({ nodeSelectorTerms }: NodeSelector, node: Node): boolean =>
  nodeSelectorTerms.some((term) => compileTerm(term)(node))
