// What the container runtime says about pods, as plain values: the input of pods/plan.ts and pods/status.ts.
import type { ContainerResources } from '../pods/resources.ts'

export interface ObservedSandbox {
  readonly id: string
  readonly attempt: number
  readonly ready: boolean
  readonly createdAtMs: number
  /** Empty while not ready and for pods on the host's network. */
  readonly ips: readonly string[]
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface ObservedContainer {
  readonly id: string
  readonly name: string
  readonly sandboxId: string
  /** 0 for the first instance of this container; the restart count. */
  readonly attempt: number
  readonly state: ContainerState
  readonly createdAtMs: number
  /** 0 when it never started. */
  readonly startedAtMs: number
  readonly finishedAtMs: number
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  /** Resolved image name and content id as statuses show them. */
  readonly image: string
  readonly imageId: string
  /** Hash of the parts of the container's definition whose change needs a new container. */
  readonly hash: string
  /** What the kernel was told when it was created or last resized; undefined when the runtime does not say. */
  readonly resources?: ContainerResources
  readonly logPath: string
  /** Host file behind the termination message path. */
  readonly terminationMessageFile: string
  readonly terminationMessagePolicy: string
}

export interface ObservedPod {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  /** Newest first. */
  readonly sandboxes: readonly ObservedSandbox[]
  /** Newest first. */
  readonly containers: readonly ObservedContainer[]
}
