// Writes into a policy's status what its expressions seem to get wrong about the types they will meet.
import { createController, mapChanges } from '../../../common/client/controller.ts'
import { validatingAdmissionPolicies } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'

export const newValidatingAdmissionPolicyStatusController: ControllerFactory = (deps) => {
  const name = 'validatingadmissionpolicy-status-controller'
  const client = deps.client(name)
  const informer = deps.informers.of(validatingAdmissionPolicies)

  async function reconcile(key: string): Promise<void> {
    const policy = informer.get(key)
    if (policy === undefined || deps.policyWarnings === undefined) return
    const { generation = 0 } = policy.metadata
    if (generation <= (policy.status?.observedGeneration ?? 0)) return
    const warnings = deps.policyWarnings(policy)
    // An empty typeChecking says that there was nothing to say.
    const typeChecking = { expressionWarnings: warnings.length === 0 ? null : warnings }
    try {
      const target = { name: key, subresource: 'status' }
      const status = { observedGeneration: generation, typeChecking }
      await client.patch(validatingAdmissionPolicies, target, 'application/merge-patch+json', { status })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  return createController({
    name,
    workers: 1,
    sources: [mapChanges(informer, ({ metadata }) => [metadata.name ?? ''])],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
