// Conditions on the questions that a webhook is asked: `request` is the review's spec.
import { compile, type Program } from '../../cel/compile.ts'
import { kubernetesFunctions } from '../../cel/library/index.ts'
import { bool, type CelType, listOf, mapOf, type ObjectType, string } from '../../cel/types.ts'

const object = (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
  kind: 'object',
  name,
  fields: new Map(Object.entries(fields)),
})

const requirement = object('kubernetes.SelectorRequirement', { key: string, operator: string, values: listOf(string) })
const selector = object('kubernetes.SelectorAttributes', { rawSelector: string, requirements: listOf(requirement) })

export const reviewType = object('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: object('kubernetes.ResourceAttributes', {
    namespace: string,
    verb: string,
    group: string,
    version: string,
    resource: string,
    subresource: string,
    name: string,
    fieldSelector: selector,
    labelSelector: selector,
  }),
  nonResourceAttributes: object('kubernetes.NonResourceAttributes', { path: string, verb: string }),
  user: string,
  groups: listOf(string),
  extra: mapOf(string, listOf(string)),
  uid: string,
})

/** Throws CompileError and WrongResult. */
export const compileReviewCondition = (expression: string): Program =>
  compile(expression, { variables: new Map([['request', reviewType]]), functions: kubernetesFunctions }, [bool])
