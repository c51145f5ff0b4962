// matchConditions of webhooks and policies: expressions that all must be true for the request to be looked at.
import type { AdmissionregistrationV1MatchCondition } from '../../../common/api/generated/types.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import { Budget, type Program } from '../cel/compile.ts'
import { compileFor } from '../cel/environments.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { AdmissionAttributes } from './admission.ts'
import { expressionVariables } from './expression-variables.ts'

/** Of all conditions of one webhook or policy. */
const costLimit = 2_500_000

export interface ConditionOptions {
  readonly matched: ServedResource
  readonly authorizer: Authorizer
  readonly failurePolicy: string
  /** Further variables: params and the like. */
  readonly variables?: Readonly<Record<string, unknown>>
}

export interface Conditions {
  /** Throws Forbidden when a condition fails to evaluate, no other is false and the policy is to fail. */
  hold(attributes: AdmissionAttributes, options: ConditionOptions): boolean
}

const variables = [
  'object',
  'oldObject',
  'request',
  'authorizer',
  'authorizer.requestResource',
  'params',
  'namespaceObject',
]

export function compileConditions(conditions: readonly AdmissionregistrationV1MatchCondition[]): Conditions {
  const programs = conditions.map(({ name, expression }) => ({ name, program: tryCompile(expression) }))
  return {
    hold(attributes, options) {
      if (programs.length === 0) return true
      const values = { ...expressionVariables(attributes, options), ...options.variables }
      const budget = new Budget(costLimit)
      const failures: string[] = []
      for (const { name, program } of programs) {
        try {
          if (program instanceof Error) throw program
          if (program.run(values, budget) !== true) return false
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error)
          failures.push(`matchCondition ${JSON.stringify(name)} failed: ${why}`)
        }
      }
      if (failures.length === 0) return true
      if (options.failurePolicy === 'Ignore') return false
      throw forbidden(attributes.resourceName, attributes.name, failures.join(', '))
    },
  }
}

/** Conditions were checked when they were written; one that does not compile any more fails when it is asked. */
function tryCompile(expression: string): Program | Error {
  try {
    return compileFor(expression, { variables, result: 'bool' })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
