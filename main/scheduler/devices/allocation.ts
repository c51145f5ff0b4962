// Pure: what was chosen, as a claim's status says it.
import { randomUUID } from 'node:crypto'
import type {
  Node,
  NodeSelector,
  NodeSelectorRequirement,
  ResourceV1AllocationResult,
  ResourceV1DeviceAllocationConfiguration,
  ResourceV1DeviceRequestAllocationResult,
  ResourceV1ResourceClaim,
} from '../../../common/api/generated/types.ts'
import { formatQuantity } from '../../../common/machinery/quantity.ts'
import type { DeviceRequest } from './requests.ts'
import type { Chosen } from './search.ts'

export function allocationOf(
  claim: ResourceV1ResourceClaim,
  chosen: readonly Chosen[],
  node: Node,
): ResourceV1AllocationResult {
  const config = configurationOf(claim, chosen)
  const nodeSelector = nodesOf(chosen, node)
  return {
    devices: { results: chosen.map(resultOf), ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  }
}

function resultOf({ request, offered, capacity }: Chosen): ResourceV1DeviceRequestAllocationResult {
  const { driver, pool, device } = offered
  const { bindingConditions, bindingFailureConditions } = device
  const { tolerations } = request
  return {
    request: request.name,
    driver,
    pool: pool.name,
    device: device.name,
    ...(request.adminAccess ? { adminAccess: true } : {}),
    ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
    ...(bindingConditions === undefined ? {} : { bindingConditions }),
    ...(bindingFailureConditions === undefined ? {} : { bindingFailureConditions }),
    ...(capacity === undefined
      ? {}
      : {
          shareID: randomUUID(),
          consumedCapacity: Object.fromEntries(
            [...capacity].map(([name, nanos]) => [name, formatQuantity({ nanos, format: 'BinarySI' })]),
          ),
        }),
  }
}

/** Those of the classes, each once, then those of the claim that are about what was chosen. For all requests: named for none. */
function configurationOf(
  { spec }: ResourceV1ResourceClaim,
  chosen: readonly Chosen[],
): ResourceV1DeviceAllocationConfiguration[] {
  const requests = new Set(chosen.map(({ request }) => request))
  const byClass = new Map<string, DeviceRequest[]>()
  for (const request of requests) {
    const name = request.class.metadata.name ?? ''
    byClass.set(name, [...(byClass.get(name) ?? []), request])
  }
  const ofClasses = [...byClass.values()].flatMap((of) =>
    (of[0]?.class.spec.config ?? []).map(({ opaque }) => ({
      source: 'FromClass',
      requests: of.map(({ name }) => name),
      ...(opaque === undefined ? {} : { opaque }),
    })),
  )
  const names = new Set([...requests].flatMap((request) => request.names))
  const ofClaim = (spec.devices?.config ?? [])
    .filter(({ requests: of = [] }) => of.length === 0 || of.some((name) => names.has(name)))
    .map(({ requests: of = [], opaque }) => ({
      source: 'FromClaim',
      requests: of,
      ...(opaque === undefined ? {} : { opaque }),
    }))
  const all = spec.devices?.requests?.length ?? 0
  return [...ofClasses, ...ofClaim].map(({ requests: of, ...rest }) =>
    of.length === 0 || of.length === all ? rest : { ...rest, requests: of },
  )
}

/** Undefined: the devices can be used everywhere. */
function nodesOf(chosen: readonly Chosen[], node: Node): NodeSelector | undefined {
  const isLocal = chosen.some(
    ({ offered: { reach, device } }) => (reach.nodeName ?? '') !== '' || device.bindsToNode === true,
  )
  if (isLocal) {
    const here = { key: 'metadata.name', operator: 'In', values: [node.metadata.name ?? ''] }
    return { nodeSelectorTerms: [{ matchFields: [here] }] }
  }
  const terms = chosen.flatMap(({ offered }) => offered.reach.nodeSelector?.nodeSelectorTerms ?? [])
  const matchFields = distinct(terms.flatMap((term) => term.matchFields ?? []))
  const matchExpressions = distinct(terms.flatMap((term) => term.matchExpressions ?? []))
  if (matchFields.length + matchExpressions.length === 0) return undefined
  return {
    nodeSelectorTerms: [
      {
        ...(matchFields.length === 0 ? {} : { matchFields }),
        ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
      },
    ],
  }
}

function distinct(requirements: readonly NodeSelectorRequirement[]): NodeSelectorRequirement[] {
  const keyOf = ({ key, operator, values = [] }: NodeSelectorRequirement): string =>
    JSON.stringify([key, operator, [...values].sort()])
  return [...new Map(requirements.map((requirement) => [keyOf(requirement), requirement])).values()]
}
