// What the flags of kube-controller-manager come to.
import { familyOf, rangeOf } from '../../common/machinery/addresses.ts'
import type { ControllerSettings } from '../controllers/index.ts'
import { defaultSettings } from '../controllers/index.ts'
import type { ClusterNetwork } from './cluster-network.ts'
import { CodedError } from './coded-error.ts'
import type { EngineOptions } from './options.ts'

/** CodedError where flags contradict each other. */
export function controllerSettings(
  given: EngineOptions['controllerSettings'] = {},
  network: Pick<ClusterNetwork, 'clusterCIDR' | 'serviceCIDRs'>,
): ControllerSettings {
  const { allocateNodeCidrs, clusterCidrs = [network.clusterCIDR], evictions, ...rest } = given
  const { nodeMaskSize, nodeMaskSizeIPv4, nodeMaskSizeIPv6, ...settings } = rest
  const [first = '', second] = clusterCidrs
  if (nodeMaskSize !== undefined && second !== undefined)
    throw new CodedError(
      'BadArgument',
      'usage of --node-cidr-mask-size is not allowed with dual-stack clusters',
      'Use --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6.',
    )
  const common = nodeMaskSize === undefined ? {} : { [familyOf(first)]: nodeMaskSize }
  const maskSizes = { IPv4: nodeMaskSizeIPv4 ?? 24, IPv6: nodeMaskSizeIPv6 ?? 64, ...common }
  for (const cidr of clusterCidrs) {
    const { family, size } = rangeOf(cidr)
    const bits = maskSizes[family]
    if (rangeOf(`${cidr.split('/')[0] ?? ''}/${String(bits)}`).size > size)
      throw new CodedError(
        'BadArgument',
        `New CIDR set failed; the node CIDR size is too big: /${String(bits)} of ${cidr}`,
        'Give --node-cidr-mask-size a longer prefix than --cluster-cidr has.',
      )
  }
  return {
    ...defaultSettings,
    ...settings,
    evictions: { ...defaultSettings.evictions, ...evictions },
    podRanges: allocateNodeCidrs === true ? { clusterCidrs, maskSizes, reserved: network.serviceCIDRs } : undefined,
  }
}
