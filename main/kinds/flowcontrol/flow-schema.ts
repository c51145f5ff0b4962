// FlowSchema: which requests belong to which priority level.
import type {
  FlowcontrolV1Subject,
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from '../validation/names.ts'
import { checkFlowConditions } from './conditions.ts'
import { mandatoryFlowSchemas } from './mandatory.ts'

const maxPrecedence = 10_000
const defaultPrecedence = 1000
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

export const flowSchema = defineKind('flowcontrol.apiserver.k8s.io/v1/flowschemas', {
  prepareForCreate: dropStatus,
  setDefaults: ({ spec }) => {
    if (spec !== undefined) spec.matchingPrecedence ||= defaultPrecedence
  },
  validate: check,
  update: mainDoor(),
  status: statusDoor({ validate: ({ status }) => checkFlowConditions(status?.conditions ?? []) }),
  columns: [
    nameColumn,
    { name: 'PriorityLevel', type: 'string', cell: ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '' },
    { name: 'MatchingPrecedence', type: 'string', cell: ({ spec }) => spec?.matchingPrecedence ?? 0 },
    { name: 'DistinguisherMethod', type: 'string', cell: ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>' },
    ageColumn,
    {
      name: 'MissingPL',
      type: 'string',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      cell: ({ status }) => status?.conditions?.find((condition) => condition.type === 'Dangling')?.status ?? '?',
    },
  ],
})

function check({ metadata, spec }: FlowSchema): FieldError[] {
  const errors: FieldError[] = []
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec ?? {}
  const refuse = (detail: string): void => {
    errors.push(invalidValue('spec.matchingPrecedence', precedence, detail))
  }
  if (precedence <= 0) refuse('must be a positive value')
  if (precedence > maxPrecedence) refuse(`must not be greater than ${String(maxPrecedence)}`)
  if (precedence === 1 && metadata.name !== 'exempt')
    refuse("only the schema named 'exempt' may have matchingPrecedence 1")
  const methods = ['ByNamespace', 'ByUser']
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type))
    errors.push(notSupported('spec.distinguisherMethod.type', distinguisherMethod.type, methods))
  const level = priorityLevelConfiguration?.name ?? ''
  if (level === '') errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
  else checkName(errors, 'spec.priorityLevelConfiguration.name', level, isDnsSubdomain)
  rules.forEach((rule, index) => {
    checkRules(errors, `spec.rules[${String(index)}]`, rule)
  })
  const fixed = mandatoryFlowSchemas[metadata.name ?? '']
  if (fixed !== undefined && !semanticEqual(spec, fixed))
    errors.push(invalidValue('spec', spec, `spec of '${metadata.name ?? ''}' must equal the fixed value`))
  return errors
}

function checkRules(errors: FieldError[], path: string, rule: PolicyRulesWithSubjects): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  if (subjects.length === 0) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'))
  subjects.forEach((subject, index) => {
    checkSubject(errors, `${path}.subjects[${String(index)}]`, subject)
  })
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  resourceRules.forEach((resource, index) => {
    checkResourceRule(errors, `${path}.resourceRules[${String(index)}]`, resource)
  })
  nonResourceRules.forEach((url, index) => {
    checkUrlRule(errors, `${path}.nonResourceRules[${String(index)}]`, url)
  })
}

const subjectFields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function checkSubject(errors: FieldError[], path: string, subject: FlowcontrolV1Subject): void {
  const { kind } = subject
  if (kind !== 'ServiceAccount' && kind !== 'User' && kind !== 'Group') {
    errors.push(notSupported(`${path}.kind`, kind, Object.keys(subjectFields)))
    return
  }
  const field = subjectFields[kind]
  const at = `${path}.${field}`
  const value = subject[field]
  if (value === undefined) errors.push(required(at, `${field} is required when subject kind is '${kind}'`))
  else {
    const { name = '' } = value
    if (name === '') errors.push(required(`${at}.name`))
    else if (kind === 'ServiceAccount' && name !== '*') checkName(errors, `${at}.name`, name, isDnsSubdomain)
    if ('namespace' in value || kind === 'ServiceAccount') {
      const namespace = subject.serviceAccount?.namespace ?? ''
      if (namespace === '') errors.push(required(`${at}.namespace`, 'must specify namespace for service account'))
      else checkName(errors, `${at}.namespace`, namespace, isDnsLabel)
    }
  }
  for (const [otherKind, other] of Object.entries(subjectFields)) {
    if (other !== field && subject[other] !== undefined)
      errors.push(forbiddenField(`${path}.${other}`, `${other} is forbidden when subject kind is not '${otherKind}'`))
  }
}

function checkVerbs(errors: FieldError[], path: string, wanted: readonly string[] = []): void {
  if (wanted.length === 0) errors.push(required(path, 'verbs must contain at least one value'))
  else if (wanted.includes('*')) {
    if (wanted.length > 1) errors.push(invalidValue(path, wanted, "if '*' is present, must not specify other verbs"))
  } else if (wanted.some((verb) => !verbs.includes(verb))) errors.push(notSupported(path, wanted, verbs))
}

function checkResourceRule(errors: FieldError[], path: string, rule: ResourcePolicyRule): void {
  checkVerbs(errors, `${path}.verbs`, rule.verbs)
  const { apiGroups = [], resources = [], namespaces = [], clusterScope = false } = rule
  for (const [field, values, what, missing] of [
    ['apiGroups', apiGroups, 'api groups', 'resource rules must supply at least one api group'],
    ['resources', resources, 'resources', 'resource rules must supply at least one resource'],
  ] as const) {
    if (values.length === 0) errors.push(required(`${path}.${field}`, missing))
    else if (values.length > 1 && values.includes('*'))
      errors.push(invalidValue(`${path}.${field}`, values, `if '*' is present, must not specify other ${what}`))
  }
  const at = `${path}.namespaces`
  if (namespaces.length === 0 && !clusterScope)
    errors.push(required(at, 'resource rules that are not cluster scoped must supply at least one namespace'))
  else if (namespaces.includes('*')) {
    if (namespaces.length > 1)
      errors.push(invalidValue(at, namespaces, "if '*' is present, must not specify other namespaces"))
  } else {
    namespaces.forEach((namespace, index) => {
      for (const problem of isDnsLabel(namespace)) {
        const detail = `each member of this list must be '*' or a DNS-1123 label; ${problem}`
        errors.push(invalidValue(`${at}[${String(index)}]`, namespace, detail))
      }
    })
  }
}

function checkUrlRule(errors: FieldError[], path: string, rule: NonResourcePolicyRule): void {
  checkVerbs(errors, `${path}.verbs`, rule.verbs)
  const { nonResourceURLs: urls = [] } = rule
  const at = `${path}.nonResourceURLs`
  if (urls.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) {
    if (urls.length > 1)
      errors.push(invalidValue(at, urls, "if '*' is present, must not specify other non-resource URLs"))
  } else {
    urls.forEach((url, index) => {
      const problem = problemOfUrl(url)
      if (problem !== undefined) errors.push(invalidValue(`${at}[${String(index)}]`, url, problem))
    })
  }
}

function problemOfUrl(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const wildcards = url.split('*').length - 1
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}
