// Policies of one kind as they are stored, each with the bindings that put it to work.
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { isExempt, matchRequest } from '../match-rules.ts'
import { StoredConfigurations } from '../stored-configurations.ts'
import type { CompiledBinding, CompiledPolicy } from './compiled.ts'

const group = 'admissionregistration.k8s.io'

export interface Bound<Policy, Binding> {
  readonly policy: Policy
  readonly bindings: readonly Binding[]
  /** The resource as which the policy's rules are about the request. */
  readonly matched: ServedResource
}

export class BoundPolicies<Policy extends CompiledPolicy, Binding extends CompiledBinding> {
  readonly #policies: StoredConfigurations<readonly Policy[]>
  readonly #bindings: StoredConfigurations<ReadonlyMap<string, readonly Binding[]>>

  constructor(of: {
    readonly policies: string
    readonly bindings: string
    readonly compilePolicy: (object: KubeObject) => Policy
    readonly compileBinding: (object: KubeObject) => Binding
  }) {
    this.#policies = new StoredConfigurations(group, of.policies, (objects) => objects.map(of.compilePolicy))
    this.#bindings = new StoredConfigurations(group, of.bindings, (objects) =>
      Map.groupBy(objects.map(of.compileBinding), ({ policyName }) => policyName),
    )
  }

  /** Those that are about a request, in the order of their names; each is looked for when the one before has been dealt with. */
  *about(attributes: AdmissionAttributes): Generator<Bound<Policy, Binding>> {
    const byPolicy = this.#bindings.get(attributes.registry)
    if (byPolicy.size === 0 || isExempt(attributes)) return
    for (const policy of this.#policies.get(attributes.registry)) {
      const bindings = byPolicy.get(policy.name)
      const matched = bindings === undefined ? undefined : matchRequest(policy.matcher, attributes)
      if (bindings !== undefined && matched !== undefined) yield { policy, bindings, matched }
    }
  }
}
