// Pure: the requests of a claim with everything they leave to defaults, and their classes.
import type {
  ResourceV1DeviceClass,
  ResourceV1DeviceRequest,
  ResourceV1DeviceSelector,
  ResourceV1DeviceSubRequest,
  ResourceV1DeviceToleration,
  ResourceV1ExactDeviceRequest,
  ResourceV1ResourceClaim,
} from '../../../common/api/generated/types.ts'

export interface DeviceRequest {
  /** As in results: "request", or "request/alternative". */
  name: string
  /** By which constraints and configurations may mean it. */
  names: readonly string[]
  class: ResourceV1DeviceClass
  selectors: readonly ResourceV1DeviceSelector[]
  /** Undefined: all there are. */
  count: number | undefined
  adminAccess: boolean
  tolerations: readonly ResourceV1DeviceToleration[] | undefined
  capacity: Readonly<Record<string, string | number>>
}

/** Alternatives in the order of preference. */
export type RequestAlternatives = readonly DeviceRequest[]

/** The classes that the claim's requests name, by the names of the requests. */
export function classNamesOf({ spec }: ResourceV1ResourceClaim): [request: string, className: string][] {
  return (spec.devices?.requests ?? []).flatMap(({ name, exactly, firstAvailable = [] }): [string, string][] =>
    exactly === undefined
      ? firstAvailable.map((alternative) => [`${name}/${alternative.name}`, alternative.deviceClassName])
      : [[name, exactly.deviceClassName]],
  )
}

/** `classOf` throws when there is no such class. */
export function requestsOf(
  { spec }: ResourceV1ResourceClaim,
  classOf: (name: string) => ResourceV1DeviceClass,
): RequestAlternatives[] {
  return (spec.devices?.requests ?? []).map(({ name, exactly, firstAvailable = [] }: ResourceV1DeviceRequest) =>
    exactly === undefined
      ? firstAvailable.map((alternative) => {
          const full = `${name}/${alternative.name}`
          return requestOf(full, [name, full], alternative, classOf)
        })
      : [requestOf(name, [name], exactly, classOf)],
  )
}

function requestOf(
  name: string,
  names: readonly string[],
  request: ResourceV1ExactDeviceRequest | ResourceV1DeviceSubRequest,
  classOf: (name: string) => ResourceV1DeviceClass,
): DeviceRequest {
  const { deviceClassName, selectors = [], allocationMode, count = 1, tolerations, capacity } = request
  return {
    name,
    names,
    class: classOf(deviceClassName),
    selectors,
    count: allocationMode === 'All' ? undefined : count,
    adminAccess: 'adminAccess' in request && request.adminAccess === true,
    tolerations,
    capacity: capacity?.requests ?? {},
  }
}
