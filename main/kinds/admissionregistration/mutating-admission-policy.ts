// MutatingAdmissionPolicy: changes in CEL that are made to writes on their way.
import type {
  AdmissionregistrationV1MutatingAdmissionPolicy as MutatingAdmissionPolicy,
  AdmissionregistrationV1Mutation as Mutation,
} from '../../../common/api/generated/types.ts'
import { invalidValue, notSupported, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind, type WriteContext } from '../kind.ts'
import { checkExpression, type Expression } from '../validation/expressions.ts'
import { checkOneOf } from '../validation/values.ts'
import { checkMatchConditions } from './match-conditions.ts'
import {
  checkPolicyFrame,
  checkVariables,
  paramKindCell,
  paramKindDescription,
  setPolicyDefaults,
} from './policy-parts.ts'
import { reinvocationPolicies } from './rules.ts'

export const mutatingAdmissionPolicy = defineKind('admissionregistration.k8s.io/v1/mutatingadmissionpolicies', {
  allowUnconditionalUpdate: false,
  categories: ['api-extensions'],
  setDefaults: setPolicyDefaults,
  validate: checkPolicy,
  columns: [
    nameColumn,
    {
      name: 'Mutations',
      type: 'integer',
      description: 'Mutation indicates the number of mutations rules defined in this configuration',
      cell: ({ spec }) => spec?.mutations?.length ?? 0,
    },
    {
      name: 'ParamKind',
      type: 'string',
      description: paramKindDescription,
      cell: ({ spec }) => paramKindCell(spec?.paramKind),
    },
    ageColumn,
  ],
})

function checkPolicy(
  { spec = {} }: MutatingAdmissionPolicy,
  context: WriteContext,
  old: MutatingAdmissionPolicy | undefined,
): FieldError[] {
  const errors: FieldError[] = []
  checkPolicyFrame(errors, 'spec', spec)
  const hasParams = spec.paramKind !== undefined
  const sameConditions =
    old !== undefined &&
    semanticEqual(old.spec?.paramKind, spec.paramKind) &&
    semanticEqual(old.spec?.matchConditions, spec.matchConditions)
  if (!sameConditions)
    checkMatchConditions(errors, 'spec.matchConditions', spec.matchConditions ?? [], { hasParams, context })
  const { variables = [], mutations = [] } = spec
  checkVariables(errors, 'spec.variables', variables, { hasParams, context })
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  const composed = variables.map(({ name }) => name)
  mutations.forEach((mutation, index) => {
    checkMutation(errors, `spec.mutations[${String(index)}]`, mutation, (path, expression) => {
      checkExpression(errors, path, { ...expression, hasParams, composed }, context)
    })
  })
  checkOneOf(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy, reinvocationPolicies)
  return errors
}

const patches = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function checkMutation(
  errors: FieldError[],
  path: string,
  mutation: Mutation,
  compile: (path: string, expression: Pick<Expression, 'purpose' | 'text'>) => void,
): void {
  const { patchType = '' } = mutation
  if (patchType === '') {
    errors.push(required(`${path}.patchType`))
    return
  }
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    errors.push(notSupported(`${path}.patchType`, patchType, Object.keys(patches)))
    return
  }
  const field = patches[patchType]
  const other = patchType === 'JSONPatch' ? 'applyConfiguration' : 'jsonPatch'
  const patch = mutation[field]
  const at = `${path}.${field}.expression`
  if (patch === undefined) errors.push(required(`${path}.${field}`, `must be specified when patchType is ${patchType}`))
  else if ((patch.expression ?? '').trim() === '') errors.push(required(at, 'expression is not specified'))
  else compile(at, { purpose: field, text: patch.expression ?? '' })
  if (mutation[other] !== undefined) {
    const detail = `must not be specified when patchType is ${patchType}`
    errors.push(invalidValue(`${path}.${other}`, `{${other}}`, detail))
  }
}
