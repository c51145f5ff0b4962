// A policy with its expressions compiled, and the bindings that put it to work.
import type {
  AdmissionregistrationV1MatchCondition,
  AdmissionregistrationV1MatchResources,
  AdmissionregistrationV1ParamKind,
  AdmissionregistrationV1ParamRef,
  AdmissionregistrationV1Variable,
} from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { ExpressionUse } from '../../../kinds/kind.ts'
import type { Program } from '../../cel/compile.ts'
import { compileFor } from '../../cel/environments.ts'
import { compileConditions, type Conditions } from '../match-conditions.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { type Matcher, matchRequest, newMatcher } from '../match-rules.ts'

/** A program, or why there is none. Policies are checked when they are written, so that this is rare. */
export type Compiled = Program | Error

interface PolicySpec {
  readonly failurePolicy?: string
  readonly paramKind?: AdmissionregistrationV1ParamKind
  readonly matchConstraints?: AdmissionregistrationV1MatchResources
  readonly matchConditions?: AdmissionregistrationV1MatchCondition[]
  readonly variables?: AdmissionregistrationV1Variable[]
}

export interface CompiledPolicy {
  readonly name: string
  readonly matcher: Matcher
  readonly conditions: Conditions
  readonly failurePolicy: string
  readonly paramKind: AdmissionregistrationV1ParamKind | undefined
  readonly variables: readonly { readonly name: string; readonly program: Compiled }[]
}

export interface CompiledBinding {
  readonly name: string
  readonly policyName: string
  /** Undefined: everything the policy is about. */
  readonly matcher: Matcher | undefined
  readonly paramRef: AdmissionregistrationV1ParamRef | undefined
}

const requestVariables = ['object', 'oldObject', 'request', 'namespaceObject', 'params', 'variables']
const withAuthorizer = [...requestVariables, 'authorizer', 'authorizer.requestResource']

/** How the expressions of a policy are compiled: they may look at the variables written before them. */
export function compilePart(
  source: string,
  composed: readonly string[],
  result: ExpressionUse['result'],
  authorized = true,
): Compiled {
  try {
    return compileFor(source, { variables: authorized ? withAuthorizer : requestVariables, result, composed })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const matcherOf = (match: AdmissionregistrationV1MatchResources): Matcher =>
  newMatcher({
    rules: match.resourceRules,
    excluded: match.excludeResourceRules,
    matchPolicy: match.matchPolicy,
    namespaceSelector: match.namespaceSelector,
    objectSelector: match.objectSelector,
  })

export function compilePolicy(policy: KubeObject): CompiledPolicy {
  const { spec = {} } = policy as KubeObject & { spec?: PolicySpec }
  const { variables = [] } = spec
  return {
    name: policy.metadata.name ?? '',
    matcher: matcherOf(spec.matchConstraints ?? {}),
    conditions: compileConditions(spec.matchConditions ?? []),
    failurePolicy: spec.failurePolicy ?? 'Fail',
    paramKind: spec.paramKind,
    variables: variables.map(({ name, expression }, index) => ({
      name,
      program: compilePart(
        expression,
        variables.slice(0, index).map((variable) => variable.name),
        'any',
      ),
    })),
  }
}

export function compileBinding(binding: KubeObject): CompiledBinding {
  const { spec } = binding as KubeObject & {
    spec?: {
      policyName?: string
      matchResources?: AdmissionregistrationV1MatchResources
      paramRef?: AdmissionregistrationV1ParamRef
    }
  }
  const match = spec?.matchResources
  return {
    name: binding.metadata.name ?? '',
    policyName: spec?.policyName ?? '',
    matcher: match === undefined ? undefined : matcherOf(match),
    paramRef: spec?.paramRef,
  }
}

const everything = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*', '*/*'] }

/** A binding without rules of its own still selects by namespace and object. */
export function bindingMatches({ matcher }: CompiledBinding, attributes: AdmissionAttributes): boolean {
  if (matcher === undefined) return true
  return (
    matchRequest(matcher.rules.length === 0 ? { ...matcher, rules: [everything] } : matcher, attributes) !== undefined
  )
}
