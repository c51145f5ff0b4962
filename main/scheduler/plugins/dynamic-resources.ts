// Dynamic resource allocation: a pod goes where the devices are that its claims have, or can be given.
import type { ResourceV1AllocationResult, ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { canonicalJson } from '../../controllers/pods/template-hash.ts'
import type { DeviceSources } from '../devices/allocate.ts'
import { allocateClaims, claimsOf, isAllocated, whyImpossible } from '../devices/allocate.ts'
import { selects } from '../devices/pools.ts'
import { SearchError } from '../devices/search.ts'
import type { ClusterChange, FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { normalizeToMax, rejectForGood } from '../framework/plugin.ts'
import type { PodFacts } from '../state/pod-facts.ts'

const name = 'DynamicResources'
export const notAvailable = rejectForGood('resourceclaim not available on the node')
const notAllocatable = rejectForGood('cannot allocate all claims')
/** The first of the alternatives of a request counts this much, each further one by one less. */
const maxAlternatives = 8

export function newDynamicResources(sources: DeviceSources): { filter: FilterPlugin; score: ScorePlugin } {
  const { claims } = sources
  const filter: FilterPlugin = {
    name,
    isWaiting: (pod) => pod.deviceClaims.length > 0 && typeof claimsOf(pod, claims) === 'string',
    impossible(pod) {
      if (pod.deviceClaims.length === 0) return undefined
      const found = claimsOf(pod, claims)
      return typeof found === 'string' ? found : whyImpossible(pod.uid, found, claims)
    },
    prepare(pod) {
      if (pod.deviceClaims.length === 0) return undefined
      const found = claimsOf(pod, claims)
      if (typeof found === 'string') return () => rejectForGood(found)
      const open = found.filter((claim) => !isAllocated(claim))
      const selectors = found.flatMap(({ status }) => status?.allocation?.nodeSelector ?? [])
      const usage = claims.usage()
      return ({ node }) => {
        if (node === undefined) return notAllocatable
        if (!selectors.every((selector) => selects(selector, node))) return notAvailable
        if (open.length === 0) return undefined
        try {
          return allocateClaims(open, node, sources, usage) === undefined ? notAllocatable : undefined
        } catch (error) {
          if (error instanceof SearchError) return rejectForGood(error.message)
          const why = error instanceof Error ? error.message : String(error)
          throw new Error(`running "${name}" filter plugin: ${why}`, { cause: error })
        }
      }
    },
    mayHelp,
  }
  const score: ScorePlugin = {
    name,
    weight: 2,
    prepare(pod) {
      const found = claimsOf(pod, claims)
      if (typeof found === 'string') return undefined
      const open = found.filter((claim) => !isAllocated(claim))
      const hasAlternatives = open.some(({ spec }) =>
        spec.devices?.requests?.some(({ firstAvailable = [] }) => firstAvailable.length > 0),
      )
      if (!hasAlternatives) return undefined
      const usage = claims.usage()
      return {
        score: ({ node }) => (node === undefined ? 0 : rank(open, allocateClaims(open, node, sources, usage) ?? [])),
        normalize: (scores) => {
          normalizeToMax(scores, false)
        },
        reason: () => 'by which of the alternatives its claims would get',
      }
    },
  }
  return { filter, score }
}

function mayHelp(change: ClusterChange, { deviceClaims }: PodFacts): boolean {
  switch (change.type) {
    case 'devices-changed':
    case 'node-added':
      return true
    case 'node-changed':
      return change.labels
    case 'device-claim-changed': {
      const { claim, old } = change
      // Devices that were given back may be what others wait for.
      if (old !== undefined && isAllocated(old) && (claim === undefined || !isAllocated(claim))) return true
      if (claim === undefined || !deviceClaims.some(({ key }) => key === objectKey(claim))) return false
      return old === undefined || canonicalJson(old.status) !== canonicalJson(claim.status)
    }
    default:
      return false
  }
}

/** The more the earlier the alternatives that the claims got. */
function rank(claims: readonly ResourceV1ResourceClaim[], allocations: readonly ResourceV1AllocationResult[]): number {
  let sum = 0
  for (const [i, { spec }] of claims.entries()) {
    const got = new Set(allocations[i]?.devices?.results?.map(({ request }) => request))
    for (const request of spec.devices?.requests ?? [])
      for (const [place, alternative] of (request.firstAvailable ?? []).entries())
        if (got.has(`${request.name}/${alternative.name}`)) sum += maxAlternatives - place
  }
  return sum
}
