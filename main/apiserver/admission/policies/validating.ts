// ValidatingAdmissionPolicy: expressions that must be true of a write, put to work by bindings.
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { StatusError } from '../../../../common/machinery/status.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { convertToMatched } from '../matched-version.ts'
import { type Bound, BoundPolicies } from './bound-policies.ts'
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
  readonly validations: readonly {
    readonly of: Validation
    readonly program: Compiled
    readonly message: Compiled | undefined
  }[]
  readonly annotations: readonly { readonly key: string; readonly source: string; readonly program: Compiled }[]
}
interface Binding extends CompiledBinding {
  readonly actions: readonly string[]
}
interface Denial {
  readonly policy: Policy
  readonly binding: Binding | undefined
  readonly message: string
  readonly reason?: string | undefined
}

export function validatingPolicies({ authorizer }: { readonly authorizer: () => Authorizer }): AdmissionPlugin {
  const policies = new BoundPolicies({
    policies: 'validatingadmissionpolicies',
    bindings: 'validatingadmissionpolicybindings',
    compilePolicy: prepare,
    compileBinding: prepareBinding,
  })
  return {
    name: 'ValidatingAdmissionPolicy',
    connects: true,
    validate(attributes) {
      const bound = [...policies.about(attributes)]
      const conversions = bound
        .map(({ matched }) => convertToMatched(attributes, matched))
        .filter((one) => one !== undefined)
      if (conversions.length === 0) judge(bound, attributes, authorizer())
      else
        return Promise.all(conversions).then(() => {
          judge(bound, attributes, authorizer())
        })
    },
  }
}

function judge(
  bound: readonly Bound<Policy, Binding>[],
  attributes: AdmissionAttributes,
  authorizer: Authorizer,
): void {
  const denials: Denial[] = []
  for (const { policy, bindings, matched } of bound) {
    const judgement = new Judgement(policy, attributes, matched, authorizer)
    for (const binding of bindings) denials.push(...judgement.by(binding))
    judgement.publish()
  }
  const [first] = denials
  if (first !== undefined) throw denial(attributes, first)
}

function prepare(object: KubeObject): Policy {
  const { spec = {} } = object as KubeObject & ValidatingAdmissionPolicy
  const composed = (spec.variables ?? []).map(({ name }) => name)
  return {
    ...compilePolicy(object),
    validations: (spec.validations ?? []).map((of) => ({
      of,
      program: compilePart(of.expression, composed, 'bool'),
      message:
        (of.messageExpression ?? '') === ''
          ? undefined
          : compilePart(of.messageExpression ?? '', composed, 'string', false),
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      source: valueExpression,
      program: compilePart(valueExpression, composed, 'string-or-null'),
    })),
  }
}

function prepareBinding(object: KubeObject): Binding {
  const { spec } = object as KubeObject & ValidatingAdmissionPolicyBinding
  return { ...compileBinding(object), actions: spec?.validationActions ?? [] }
}

/** What one policy says about one request. */
class Judgement {
  readonly #policy: Policy
  readonly #attributes: AdmissionAttributes
  readonly #matched: ServedResource
  readonly #authorizer: Authorizer
  readonly #annotations = new Map<string, Set<string>>()

  constructor(policy: Policy, attributes: AdmissionAttributes, matched: ServedResource, authorizer: Authorizer) {
    this.#policy = policy
    this.#attributes = attributes
    this.#matched = matched
    this.#authorizer = authorizer
  }

  /** What it refuses through this binding. */
  by(binding: Binding): Denial[] {
    if (!bindingMatches(binding, this.#attributes)) return []
    const policy = this.#policy
    try {
      return collectParams(policy.paramKind, binding.paramRef, this.#attributes).flatMap((param) =>
        this.#withParam(binding, param),
      )
    } catch (error) {
      if (policy.failurePolicy === 'Ignore') return []
      return [{ policy, binding, message: `failed to configure binding: ${messageOf(error)}` }]
    }
  }

  #withParam(binding: Binding, param: KubeObject | undefined): Denial[] {
    const policy = this.#policy
    const fails = policy.failurePolicy !== 'Ignore'
    const options = { matched: this.#matched, authorizer: this.#authorizer, param }
    const evaluation = new Evaluation(policy, this.#attributes, options)
    const denials: Denial[] = []
    try {
      const conditions = {
        ...options,
        failurePolicy: policy.failurePolicy,
        variables: { params: evaluation.variables['params'] },
      }
      if (!policy.conditions.hold(this.#attributes, conditions)) return []
    } catch (error) {
      return this.#act(binding, 0, { policy, binding, message: messageOf(error).replace(/^.*? is forbidden: /, '') })
    }
    policy.validations.forEach((validation, index) => {
      const { of, program } = validation
      try {
        if (evaluation.run(of.expression, program) === true) return
        const message = failureMessage(validation, evaluation)
        denials.push(...this.#act(binding, index, { policy, binding, message, reason: of.reason }))
      } catch (error) {
        if (fails) denials.push(...this.#act(binding, index, { policy, binding, message: messageOf(error) }))
      }
    })
    for (const { key, source, program } of policy.annotations) {
      try {
        const value = evaluation.run(source, program)
        if (typeof value === 'string' && value.trim() !== '') this.#annotate(key, value.trim())
      } catch (error) {
        if (fails) denials.push({ policy, binding, message: messageOf(error) })
      }
    }
    return denials
  }

  /** Warns and notes as the binding asks; the denial itself only when it is to deny. */
  #act(binding: Binding, index: number, denial: Denial): Denial[] {
    const { request } = this.#attributes
    const { name } = this.#policy
    if (binding.actions.includes('Warn'))
      request.warn(
        `Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${binding.name}': ${denial.message}`,
      )
    if (binding.actions.includes('Audit'))
      request.audit?.(
        'validation.policy.admission.k8s.io/validation_failure',
        JSON.stringify([
          {
            message: denial.message,
            policy: name,
            binding: binding.name,
            expressionIndex: index,
            validationActions: binding.actions,
          },
        ]),
      )
    return binding.actions.includes('Deny') ? [denial] : []
  }

  #annotate(key: string, value: string): void {
    const values = this.#annotations.get(key) ?? new Set()
    this.#annotations.set(key, values.add(value.slice(0, maxAnnotationLength)))
  }

  publish(): void {
    for (const [key, values] of this.#annotations)
      this.#attributes.request.audit?.(`${this.#policy.name}/${key}`, [...values].join(', '))
  }
}

const maxAnnotationLength = 10 * 1024
const maxMessageLength = 5 * 1024

function failureMessage({ of, message }: Policy['validations'][number], evaluation: Evaluation): string {
  if (message !== undefined) {
    try {
      const made = evaluation.run(of.messageExpression ?? '', message)
      const text = typeof made === 'string' ? made.trim() : ''
      if (text !== '' && text.length <= maxMessageLength && !text.includes('\n')) return text
    } catch {
      // The plain message stands in for one that cannot be made.
    }
  }
  const text = (of.message ?? '').trim()
  return text !== '' ? text : `failed expression: ${of.expression.trim()}`
}

function denial(attributes: AdmissionAttributes, { policy, binding, message, reason }: Denial): StatusError {
  const by = binding === undefined ? '' : ` with binding '${binding.name}'`
  return refusal(attributes, {
    message: `ValidatingAdmissionPolicy '${policy.name}'${by} denied request: ${message}`,
    reason,
  })
}
