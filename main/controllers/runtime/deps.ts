// What every controller is given. All reads go through the shared informers, all writes through a client of the controller's name.
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../../common/api/generated/types.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { Controller } from '../../../common/client/controller.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import type { SharedInformers } from '../../../common/client/shared-informers.ts'
import type { ControllerSettings } from './settings.ts'
import type { ClusterSigner } from './signer.ts'

export interface ControllerDeps {
  /** A client whose writes are attributed to `fieldManager`. */
  client(fieldManager: string): KubeClient
  readonly informers: SharedInformers
  /** The recorder of a component ("replicaset-controller"). */
  events(component: string): EventRecorder
  readonly settings: ControllerSettings
  readonly clock: Clock
  readonly logger: Logger
  /** PEM of the cluster's CA, published to every namespace as kube-root-ca.crt. */
  readonly clusterCA: string
  /** Absent where the cluster's keys are not at hand: what needs signing is then left to others. */
  readonly signer: ClusterSigner | undefined
  /** What is wrong about types in a policy's expressions; absent where the API server is not at hand. */
  readonly policyWarnings: ((policy: ValidatingAdmissionPolicy) => ExpressionWarning[]) | undefined
}

export type ControllerFactory = (deps: ControllerDeps) => Controller
