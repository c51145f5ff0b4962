// What a control plane is told about the requests it works on at a time.
export interface FlowControlSettings {
  readonly reads: number
  readonly writes: number
  /** By FlowSchemas and priority levels, of which `reads` and `writes` together are the seats; false: each by its own limit. */
  readonly fair: boolean
}
