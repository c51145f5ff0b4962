// Which requests a webhook or policy is about: operations, groups, versions and resources.
import type {
  AdmissionregistrationV1MatchResources,
  AdmissionregistrationV1NamedRuleWithOperations,
  RuleWithOperations,
} from '../../../common/api/generated/types.ts'
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkName, isPathSegment } from '../validation/names.ts'
import { checkOneOf } from '../validation/values.ts'

export const failurePolicies = ['Fail', 'Ignore']
export const matchPolicies = ['Equivalent', 'Exact']
export const reinvocationPolicies = ['IfNeeded', 'Never']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']

export function checkRule(errors: FieldError[], path: string, rule: RuleWithOperations): void {
  const { operations: wanted = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  if (wanted.length === 0) errors.push(required(`${path}.operations`))
  checkLonelyWildcard(errors, `${path}.operations`, wanted, 'operations')
  wanted.forEach((operation, index) => {
    if (!operations.includes(operation))
      errors.push(notSupported(`${path}.operations[${String(index)}]`, operation, operations))
  })
  if (apiGroups.length === 0) errors.push(required(`${path}.apiGroups`))
  checkLonelyWildcard(errors, `${path}.apiGroups`, apiGroups, 'API groups')
  if (apiVersions.length === 0) errors.push(required(`${path}.apiVersions`))
  checkLonelyWildcard(errors, `${path}.apiVersions`, apiVersions, 'API versions')
  apiVersions.forEach((version, index) => {
    if (version === '') errors.push(required(`${path}.apiVersions[${String(index)}]`))
  })
  checkResources(errors, `${path}.resources`, resources)
  if (scope !== undefined && !scopes.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, scopes))
}

function checkLonelyWildcard(errors: FieldError[], path: string, values: readonly string[], what: string): void {
  if (values.length > 1 && values.includes('*'))
    errors.push(invalidValue(path, values, `if '*' is present, must not specify other ${what}`))
}

/** "pods", "pods/status", "pods/*", "*", "*" + "/scale", "*" + "/*": none may be covered by another. */
function checkResources(errors: FieldError[], path: string, resources: readonly string[]): void {
  if (resources.length === 0) errors.push(required(path))
  const allSubresourcesOf = new Set<string>()
  const subresourceOfAll = new Set<string>()
  let plain = false
  resources.forEach((text, index) => {
    const at = `${path}[${String(index)}]`
    if (text === '') {
      errors.push(required(at))
      return
    }
    const slash = text.indexOf('/')
    if (slash < 0) {
      plain = text !== '*'
      return
    }
    const resource = text.slice(0, slash)
    const subresource = text.slice(slash + 1)
    if (allSubresourcesOf.has(resource))
      errors.push(invalidValue(at, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (subresourceOfAll.has(subresource))
      errors.push(invalidValue(at, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') allSubresourcesOf.add(resource)
    if (resource === '*') subresourceOfAll.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && plain) {
    errors.push(
      invalidValue(path, resources, "if '*' is present, must not specify other resources without subresources"),
    )
  }
}

function checkNamedRule(
  errors: FieldError[],
  path: string,
  rule: AdmissionregistrationV1NamedRuleWithOperations,
): void {
  const seen = new Set<string>()
  rule.resourceNames?.forEach((name, index) => {
    const at = `${path}.resourceNames[${String(index)}]`
    checkName(errors, at, name, isPathSegment)
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
  })
  checkRule(errors, path, rule)
}

export function setMatchDefaults(match: AdmissionregistrationV1MatchResources): void {
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

export function checkMatchResources(
  errors: FieldError[],
  path: string,
  match: AdmissionregistrationV1MatchResources,
): void {
  checkOneOf(errors, `${path}.matchPolicy`, match.matchPolicy, matchPolicies)
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    if (match[field] === undefined) errors.push(required(`${path}.${field}`))
    else checkLabelSelector(errors, `${path}.${field}`, match[field])
  }
  for (const field of ['resourceRules', 'excludeResourceRules'] as const) {
    match[field]?.forEach((rule, index) => {
      checkNamedRule(errors, `${path}.${field}[${String(index)}]`, rule)
    })
  }
}
