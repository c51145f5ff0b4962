// MutatingAdmissionPolicy: changes to a write, said in CEL, put to work by bindings.
import type {
  AdmissionregistrationV1Mutation,
  AdmissionregistrationV1MutatingAdmissionPolicySpec,
} from '../../../../common/api/generated/types.ts'
import { isJsonObject, type JsonObject } from '../../../../common/machinery/json.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { applyJsonPatch } from '../../../../common/machinery/patch/json-patch.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import { toJson } from '../../cel/values.ts'
import { mergeApplied } from '../../registry/field-ownership.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionAttributes, AdmissionPlugin, Mutation } from '../admission.ts'
import { type Reinvocation, Reinvocations } from '../reinvocation.ts'
import { replaceObject } from '../replace-object.ts'
import { asMatched, asRequested } from '../matched-version.ts'
import { BoundPolicies } from './bound-policies.ts'
import {
  bindingMatches,
  type Compiled,
  type CompiledBinding,
  type CompiledPolicy,
  compileBinding,
  compilePart,
  compilePolicy,
} from './compiled.ts'
import { Evaluation } from './evaluation.ts'
import { collectParams } from './params.ts'
import { messageOf, refusal } from './refusal.ts'

interface Policy extends CompiledPolicy {
  readonly mutations: readonly { readonly source: string; readonly isPatch: boolean; readonly program: Compiled }[]
  readonly reinvoked: boolean
}
interface Call {
  readonly policy: Policy
  readonly binding: CompiledBinding
  readonly matched: ServedResource
}

export function mutatingPolicies({ authorizer }: { readonly authorizer: () => Authorizer }): AdmissionPlugin {
  const policies = new BoundPolicies({
    policies: 'mutatingadmissionpolicies',
    bindings: 'mutatingadmissionpolicybindings',
    compilePolicy: prepare,
    compileBinding,
  })
  const reinvocations = new Reinvocations<Policy>()
  const round = (attributes: AdmissionAttributes, only?: Reinvocation<Policy>): Mutation => {
    let asked = only
    let changed = false
    for (const { policy, bindings, matched } of policies.about(attributes)) {
      if (only?.isDue(policy) === false) continue
      asked ??= reinvocations.begin(attributes)
      for (const binding of bindings) {
        if (!mutate({ policy, binding, matched }, attributes, authorizer())) continue
        changed = true
        asked.objectChanged()
      }
      if (policy.reinvoked) asked.wantsToSeeChanges(policy)
    }
    if (only === undefined) asked?.pause(attributes)
    return changed && 'by-others'
  }
  return {
    name: 'MutatingAdmissionPolicy',
    connects: true,
    mutate: (attributes) => attributes.operation !== 'DELETE' && round(attributes),
    mutateAgain(attributes) {
      const asked = reinvocations.resume(attributes)
      return asked !== undefined && round(attributes, asked)
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
function mutate({ policy, binding, matched }: Call, attributes: AdmissionAttributes, authorizer: Authorizer): boolean {
  if (!bindingMatches(binding, attributes)) return false
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
    const message = `policy '${policy.name}' with binding '${binding.name}' denied request: ${messageOf(error)}`
    throw refusal(attributes, { message, shown: message, cause: error })
  }
}

function patch(attributes: AdmissionAttributes, matched: ServedResource, operations: unknown): boolean {
  const { object } = attributes
  if (object === undefined || !Array.isArray(operations) || operations.length === 0) return false
  const copy = structuredClone(asMatched(attributes, matched, object)) as unknown as JsonObject
  const patched = applyJsonPatch(copy, operations) as KubeObject
  return replaceObject(attributes, object, asRequested(attributes, matched, patched))
}

function apply(attributes: AdmissionAttributes, matched: ServedResource, configuration: unknown): boolean {
  const { object, objectType } = attributes
  if (object === undefined || !isJsonObject(configuration)) return false
  const live = asMatched(attributes, matched, object)
  const { apiVersion, kind, metadata } = live
  for (const field of ['apiVersion', 'kind'] as const)
    if (configuration[field] !== undefined && configuration[field] !== live[field])
      throw new Error(`invalid ApplyConfiguration: may not mutate ${field}`)
  const applied = { apiVersion, kind, ...configuration }
  const merged = mergeApplied(matched, structuredClone(live), applied, objectType?.definition)
  const { name, namespace } = merged.metadata
  if (name !== metadata.name || namespace !== metadata.namespace)
    throw new Error('invalid ApplyConfiguration: may not mutate metadata.name or metadata.namespace')
  return replaceObject(attributes, object, asRequested(attributes, matched, merged))
}
