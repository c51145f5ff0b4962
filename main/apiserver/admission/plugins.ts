// The admission plugins, in the order they run. One line each.
import type { AdmissionPlugin } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { serviceAccount } from './service-account.ts'

export const admissionPlugins: readonly AdmissionPlugin[] = [
  namespaceLifecycle,
  nodeRestriction,
  serviceAccount,
  defaultTolerationSeconds,
]
