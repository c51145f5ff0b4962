// What kube-controller-manager is told by flags, with its defaults.

export interface PodRanges {
  /** One range, or one of each family. */
  readonly clusterCidrs: readonly string[]
  /** Length of the prefix that each node gets of a range. */
  readonly maskSizes: { readonly IPv4: number; readonly IPv6: number }
  /** Ranges in use for something else (Services). */
  readonly reserved: readonly string[]
}

export interface ControllerSettings {
  /** Nodes get ranges for their pods out of these; undefined: they get none. */
  readonly podRanges: PodRanges | undefined
  /** Silence after which a node counts as lost, and the longer patience for one that never reported. */
  readonly nodeMonitorGraceMs: number
  readonly nodeStartupGraceMs: number
  readonly evictions: {
    /** Nodes of a zone that may lose their pods, a second. */
    readonly perSecond: number
    /** The same in a large zone with so many nodes lost that the network may be the cause. A small one then loses none. */
    readonly perSecondInTrouble: number
    /** Share of nodes lost from which a zone is in trouble. */
    readonly unhealthyShare: number
    /** More nodes than this make a zone large. */
    readonly largeZone: number
  }
  /** Finished pods kept for looking at; 0 or less: all. */
  readonly terminatedPods: number
}

export const defaultSettings: ControllerSettings = {
  podRanges: undefined,
  nodeMonitorGraceMs: 50_000,
  nodeStartupGraceMs: 60_000,
  evictions: { perSecond: 0.1, perSecondInTrouble: 0.01, unhealthyShare: 0.55, largeZone: 50 },
  terminatedPods: 12_500,
}
