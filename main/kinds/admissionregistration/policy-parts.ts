// What validating and mutating admission policies and their bindings have in common.
import type {
  AdmissionregistrationV1MatchCondition,
  AdmissionregistrationV1MatchResources,
  AdmissionregistrationV1ParamKind,
  AdmissionregistrationV1ParamRef,
  AdmissionregistrationV1Variable,
} from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { ageColumn, nameColumn, selectorCell } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import type { Column, WriteContext } from '../kind.ts'
import { checkExpression, type Expression } from '../validation/expressions.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkName, isDnsLabel1035, isDnsSubdomain, isPathSegment } from '../validation/names.ts'
import { checkOneOf } from '../validation/values.ts'
import { checkMatchConditions } from './match-conditions.ts'
import { checkMatchResources, failurePolicies, setMatchDefaults } from './rules.ts'

interface PolicySpec {
  failurePolicy?: string
  paramKind?: AdmissionregistrationV1ParamKind
  matchConstraints?: AdmissionregistrationV1MatchResources
  matchConditions?: AdmissionregistrationV1MatchCondition[]
  variables?: AdmissionregistrationV1Variable[]
}

/** What the table of policies shows besides their names: how many of something they hold, and what their parameters are. */
export const policyColumns = <Policy extends KubeObject & { spec?: PolicySpec }>(
  counted: Pick<Column, 'name' | 'description'>,
  count: (policy: Policy) => number,
): Column<Policy>[] => [
  nameColumn,
  { ...counted, type: 'integer', cell: count },
  {
    name: 'ParamKind',
    type: 'string',
    description: 'ParamKind specifies the kind of resources used to parameterize this policy',
    cell: ({ spec }) => paramKindCell(spec?.paramKind),
  },
  ageColumn,
]

/** Checks an expression of the policy, which may look at its parameters and variables. */
export type CheckPart = (path: string, expression: Pick<Expression, 'purpose' | 'text' | 'value'>) => void

/** All but what the policy does; returns how to check the expressions of that. */
export function checkPolicyParts(
  errors: FieldError[],
  spec: PolicySpec,
  old: PolicySpec | undefined,
  context: WriteContext,
): CheckPart {
  checkPolicyFrame(errors, 'spec', spec)
  const { paramKind, matchConditions = [], variables = [] } = spec
  const hasParams = paramKind !== undefined
  const sameConditions =
    old !== undefined &&
    semanticEqual(old.paramKind, paramKind) &&
    semanticEqual(old.matchConditions, spec.matchConditions)
  if (!sameConditions) checkMatchConditions(errors, 'spec.matchConditions', matchConditions, { hasParams, context })
  checkVariables(errors, 'spec.variables', variables, { hasParams, context })
  const composed = variables.map(({ name }) => name)
  return (path, expression) => {
    checkExpression(errors, path, { ...expression, hasParams, composed }, context)
  }
}

export function setPolicyDefaults({ spec }: { spec?: PolicySpec }): void {
  if (spec === undefined) return
  spec.failurePolicy ??= 'Fail'
  if (spec.matchConstraints !== undefined) setMatchDefaults(spec.matchConstraints)
}

function checkPolicyFrame(errors: FieldError[], path: string, spec: PolicySpec): void {
  checkOneOf(errors, `${path}.failurePolicy`, spec.failurePolicy, failurePolicies)
  if (spec.paramKind !== undefined) checkParamKind(errors, `${path}.paramKind`, spec.paramKind)
  const match = spec.matchConstraints
  if (match === undefined) {
    errors.push(required(`${path}.matchConstraints`))
    return
  }
  checkMatchResources(errors, `${path}.matchConstraints`, match)
  if ((match.resourceRules ?? []).length === 0) errors.push(required(`${path}.matchConstraints.resourceRules`))
}

/** As the table of policies shows a reference to the kind of its parameters. */
const paramKindCell = (kind: AdmissionregistrationV1ParamKind | undefined): string =>
  kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`

export function paramRefCell(reference: AdmissionregistrationV1ParamRef | undefined): string {
  if (reference === undefined) return '<unset>'
  const { name, namespace, selector } = reference
  if (name) return namespace ? `${namespace}/${name}` : `*/${name}`
  return selector === undefined ? '<unset>' : selectorCell(selector)
}

function checkParamKind(errors: FieldError[], path: string, param: AdmissionregistrationV1ParamKind): void {
  const { apiVersion = '', kind = '' } = param
  const at = `${path}.apiVersion`
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/')
  if (apiVersion === '') errors.push(required(at))
  else if (parts.length > 2) errors.push(invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const version = parts.at(-1) ?? ''
    const group = parts.length === 2 ? (parts[0] ?? '') : ''
    const groupProblems = group === '' ? [] : isDnsSubdomain(group)
    if (groupProblems.length > 0) errors.push(invalidValue(at, group, groupProblems.join(',')))
    const versionProblems = isDnsLabel1035(version)
    if (version === '') errors.push(invalidValue(at, apiVersion, 'version must be specified'))
    else if (versionProblems.length > 0) errors.push(invalidValue(at, version, versionProblems.join(',')))
  }
  const problems = isDnsLabel1035(kind.toLowerCase())
  if (kind === '') errors.push(required(`${path}.kind`))
  else if (problems.length > 0) {
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`
    errors.push(invalidValue(`${path}.kind`, kind, detail))
  }
}

export function checkParamRef(errors: FieldError[], path: string, reference: AdmissionregistrationV1ParamRef): void {
  const { name = '', selector, parameterNotFoundAction: action = '' } = reference
  const both = 'name and selector are mutually exclusive'
  if (name !== '') {
    checkName(errors, `${path}.name`, name, isPathSegment)
    if (selector !== undefined) errors.push(forbiddenField(`${path}.name`, both))
  }
  if (selector !== undefined) {
    checkLabelSelector(errors, `${path}.selector`, selector)
    if (name !== '') errors.push(forbiddenField(`${path}.selector`, both))
  }
  if (name === '' && selector === undefined) errors.push(required(path, 'one of name or selector must be specified'))
  const actions = ['Allow', 'Deny']
  if (action === '') errors.push(required(`${path}.parameterNotFoundAction`))
  else if (!actions.includes(action)) errors.push(notSupported(`${path}.parameterNotFoundAction`, action, actions))
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function checkVariables(
  errors: FieldError[],
  path: string,
  variables: readonly AdmissionregistrationV1Variable[],
  { hasParams, context }: { readonly hasParams: boolean; readonly context: WriteContext },
): void {
  variables.forEach(({ name = '', expression = '' }, index) => {
    const at = `${path}[${String(index)}]`
    if (name.trim() === '') errors.push(required(`${at}.name`, 'name is not specified'))
    else if (!identifier.test(name) || reserved.has(name))
      errors.push(invalidValue(`${at}.name`, name, 'name is not a valid CEL identifier'))
    if (expression.trim() === '') errors.push(required(`${at}.expression`, 'expression is not specified'))
    else {
      const composed = variables.slice(0, index).map((variable) => variable.name)
      checkExpression(
        errors,
        `${at}.expression`,
        { purpose: 'variable', text: expression, hasParams, composed },
        context,
      )
    }
  })
}
