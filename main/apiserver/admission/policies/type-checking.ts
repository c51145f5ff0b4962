// What a validating policy's expressions get wrong about the types of the objects its rules name. Warnings in the policy's status, no
// more: at work, expressions see objects of any type.
import type {
  AdmissionregistrationV1NamedRuleWithOperations as Rules,
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from '../../../../common/api/generated/types.ts'
import { parseApiVersion } from '../../../../common/machinery/meta.ts'
import { CompileError } from '../../cel/compile.ts'
import { compileFor } from '../../cel/environments.ts'
import { type CelType, dyn } from '../../cel/types.ts'
import type { ResourceTable } from '../../registry/resource-table.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import { typeOfResource } from './resource-type.ts'

/** Of one rule; more would be checked in vain. */
const maxTypes = 10

type Variables = NonNullable<NonNullable<ValidatingAdmissionPolicy['spec']>['variables']>

export function typeWarnings(resources: ResourceTable, { spec = {} }: ValidatingAdmissionPolicy): ExpressionWarning[] {
  const checked = resourcesOf(resources, spec.matchConstraints?.resourceRules ?? [])
  const params = paramType(resources, spec.paramKind)
  const check = (fieldRef: string, expression: string): ExpressionWarning[] => {
    const warning = checked
      .map((resource) => checkFor(resource, expression, { params, variables: spec.variables ?? [] }))
      .filter((one) => one !== undefined)
      .join('\n')
    return warning === '' ? [] : [{ fieldRef, warning }]
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression = '' }, index) => {
    const at = `spec.validations[${String(index)}]`
    return [
      ...check(`${at}.expression`, expression),
      ...(messageExpression === '' ? [] : check(`${at}.messageExpression`, messageExpression)),
    ]
  })
}

/** Those that rules name without wildcards, in the order of group, version and kind. */
function resourcesOf(resources: ResourceTable, rules: readonly Rules[]): ServedResource[] {
  const found = new Set<ServedResource>()
  for (const { apiGroups = [], apiVersions = [], resources: plurals = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((one) => one.includes('*'))) continue
    const named = plurals.filter((plural) => !/[*/]/.test(plural)).sort()
    const all = [...apiGroups]
      .sort()
      .flatMap((group) => [...apiVersions].sort().map((version) => ({ group, version })))
      .flatMap(({ group, version }) => named.map((plural) => resources.find(group, version, plural)))
      .filter((resource) => resource !== undefined)
    for (const resource of all.slice(0, maxTypes)) found.add(resource)
    if (all.length >= maxTypes) break
  }
  const order = ({ kind }: ServedResource): string => [kind.group, kind.version, kind.kind].join('\0')
  return [...found].sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** Undefined: expressions have no parameters. */
function paramType(
  resources: ResourceTable,
  paramKind: NonNullable<ValidatingAdmissionPolicy['spec']>['paramKind'],
): CelType | undefined {
  if (paramKind === undefined) return undefined
  const { group, version } = parseApiVersion(paramKind.apiVersion ?? '')
  const resource = resources.findKind(group, version, paramKind.kind ?? '')
  return resource === undefined ? undefined : typeOfResource(resource)
}

/** What is wrong with the expression for objects of one resource. */
function checkFor(
  resource: ServedResource,
  expression: string,
  { params, variables }: { readonly params: CelType | undefined; readonly variables: Variables },
): string | undefined {
  const object = typeOfResource(resource)
  const types = new Map([
    ['object', object],
    ['oldObject', object],
    ...(params === undefined ? [] : [['params', params] as const]),
  ])
  const names = ['object', 'oldObject', 'request', 'namespaceObject', 'authorizer', 'authorizer.requestResource']
  const composed = new Map<string, CelType>()
  const compile = (source: string): CelType =>
    compileFor(
      source,
      { variables: [...names, 'variables', ...(params === undefined ? [] : ['params'])], result: 'any' },
      { types, composed },
    ).checked.type
  for (const variable of variables) {
    try {
      composed.set(variable.name, compile(variable.expression))
    } catch {
      composed.set(variable.name, dyn)
    }
  }
  try {
    compile(expression)
    return undefined
  } catch (error) {
    const { group, version, kind } = resource.kind
    const subject = `${group}/${version}, Kind=${kind}`
    if (error instanceof CompileError) return `${subject}: ${error.message}\n`
    return `${subject}: type checking error: ${error instanceof Error ? error.message : String(error)}\n`
  }
}
