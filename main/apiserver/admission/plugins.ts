// The admission plugins, in the order they run. One line each.
import type { Authorizer } from '../auth/authorizer.ts'
import type { RbacAuthorizer } from '../auth/rbac.ts'
import type { AdmissionPlugin } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { serviceAccount } from './service-account.ts'

export interface AdmissionDependencies {
  /** Asked when a write is judged, by when the server is complete. */
  readonly authorizer: () => Authorizer
  readonly rbac: () => RbacAuthorizer
}

export const newAdmissionPlugins = ({ authorizer, rbac }: AdmissionDependencies): readonly AdmissionPlugin[] => [
  namespaceLifecycle,
  nodeRestriction,
  rbacEscalation(authorizer, rbac),
  serviceAccount,
  defaultTolerationSeconds,
]
