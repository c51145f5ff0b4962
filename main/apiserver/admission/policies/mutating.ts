// MutatingAdmissionPolicy: changes to a write, said in CEL, put to work by bindings.
import type {
  AdmissionregistrationV1Mutation,
  AdmissionregistrationV1MutatingAdmissionPolicySpec,
} from '../../../../common/api/generated/types.ts'
import { isJsonObject, type JsonObject } from '../../../../common/machinery/json.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { applyJsonPatch } from '../../../../common/machinery/patch/json-patch.ts'
import { forbidden, StatusError } from '../../../../common/machinery/status.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import { toJson } from '../../cel/values.ts'
import { mergeApplied } from '../../registry/field-ownership.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { isExempt, matchRequest } from '../match-rules.ts'
import { replaceObject } from '../replace-object.ts'
import { asVersion } from '../request-facts.ts'
import { StoredConfigurations } from '../stored-configurations.ts'
import {
  type Compiled,
  type CompiledBinding,
  type CompiledPolicy,
  compileBinding,
  compilePart,
  compilePolicy,
} from './compiled.ts'
import { Evaluation } from './evaluation.ts'
import { collectParams } from './params.ts'
import { bindingMatches } from './validating.ts'

const group = 'admissionregistration.k8s.io'

interface Policy extends CompiledPolicy {
  readonly mutations: readonly { readonly source: string; readonly isPatch: boolean; readonly program: Compiled }[]
  readonly reinvoked: boolean
}
interface Call {
  readonly policy: Policy
  readonly binding: CompiledBinding
}

export function mutatingPolicies({ authorizer }: { readonly authorizer: () => Authorizer }): AdmissionPlugin {
  const policies = new StoredConfigurations(group, 'mutatingadmissionpolicies', (objects) => objects.map(prepare))
  const bindings = new StoredConfigurations(group, 'mutatingadmissionpolicybindings', (objects) =>
    objects.map(compileBinding),
  )
  return {
    name: 'MutatingAdmissionPolicy',
    mutate(attributes) {
      const { registry, operation } = attributes
      const all = bindings.get(registry)
      if (all.length === 0 || isExempt(attributes) || (operation !== 'CREATE' && operation !== 'UPDATE')) return false
      const again = new Map<Call, boolean>()
      let changed = false
      for (const policy of policies.get(registry)) {
        for (const binding of all.filter(({ policyName }) => policyName === policy.name)) {
          const call = { policy, binding }
          const did = mutate(call, attributes, authorizer())
          if (did) {
            changed = true
            for (const earlier of again.keys()) again.set(earlier, true)
          }
          if (policy.reinvoked) again.set(call, false)
        }
      }
      for (const [call, needed] of again) if (needed) mutate(call, attributes, authorizer())
      return changed
    },
  }
}

function prepare(object: KubeObject): Policy {
  const { spec = {} } = object as KubeObject & { spec?: AdmissionregistrationV1MutatingAdmissionPolicySpec }
  const composed = (spec.variables ?? []).map(({ name }) => name)
  const sourceOf = ({ jsonPatch, applyConfiguration }: AdmissionregistrationV1Mutation): string =>
    jsonPatch?.expression ?? applyConfiguration?.expression ?? ''
  return {
    ...compilePolicy(object),
    reinvoked: spec.reinvocationPolicy === 'IfNeeded',
    mutations: (spec.mutations ?? []).map((mutation) => {
      const isPatch = mutation.patchType === 'JSONPatch'
      const source = sourceOf(mutation)
      return { source, isPatch, program: compilePart(source, composed, isPatch ? 'json-patch' : 'apply-configuration') }
    }),
  }
}

/** True when it changed the object. Throws StatusError when it fails and its policy is to fail. */
function mutate({ policy, binding }: Call, attributes: AdmissionAttributes, authorizer: Authorizer): boolean {
  const matched = matchRequest(policy.matcher, attributes)
  if (matched === undefined || !bindingMatches(binding, attributes)) return false
  try {
    let changed = false
    for (const param of collectParams(policy.paramKind, binding.paramRef, attributes)) {
      const options = { matched, authorizer, param }
      const conditions = {
        ...options,
        failurePolicy: policy.failurePolicy,
        variables: new Evaluation(policy, attributes, options).variables,
      }
      if (!policy.conditions.hold(attributes, conditions)) continue
      for (const { source, isPatch, program } of policy.mutations) {
        // Each mutation sees what those before it have made.
        const value = toJson(new Evaluation(policy, attributes, options).run(source, program))
        if (isPatch ? patch(attributes, matched, value) : apply(attributes, matched, value)) changed = true
      }
    }
    return changed
  } catch (error) {
    if (policy.failurePolicy === 'Ignore') return false
    const why = error instanceof Error ? error.message : String(error)
    const message = `policy '${policy.name}' with binding '${binding.name}' denied request: ${why}`
    const { status } = forbidden(attributes.resourceName, attributes.name, message)
    throw new StatusError(
      { ...status, message, reason: 'Invalid', code: 422, details: { ...status.details, causes: [{ message }] } },
      { cause: error },
    )
  }
}

function patch(attributes: AdmissionAttributes, matched: ServedResource, operations: unknown): boolean {
  const { object, resource } = attributes
  if (object === undefined || !Array.isArray(operations) || operations.length === 0) return false
  const copy = structuredClone(asVersion(object, resource, matched)) as unknown as JsonObject
  const patched = applyJsonPatch(copy, operations) as KubeObject
  return replaceObject(attributes, object, asVersion(patched, matched, resource))
}

function apply(attributes: AdmissionAttributes, matched: ServedResource, configuration: unknown): boolean {
  const { object, resource } = attributes
  const live = asVersion(object, resource, matched)
  if (object === undefined || live === undefined || !isJsonObject(configuration)) return false
  const { apiVersion, kind, metadata } = live
  for (const field of ['apiVersion', 'kind'] as const)
    if (configuration[field] !== undefined && configuration[field] !== live[field])
      throw new Error(`invalid ApplyConfiguration: may not mutate ${field}`)
  const merged = mergeApplied(matched, structuredClone(live), { apiVersion, kind, ...configuration })
  const { name, namespace } = merged.metadata
  if (name !== metadata.name || namespace !== metadata.namespace)
    throw new Error('invalid ApplyConfiguration: may not mutate metadata.name or metadata.namespace')
  return replaceObject(attributes, object, asVersion(merged, matched, resource))
}
