// MutatingAdmissionPolicy: changes in CEL that are made to writes on their way.
import type {
  AdmissionregistrationV1MutatingAdmissionPolicy as MutatingAdmissionPolicy,
  AdmissionregistrationV1Mutation as Mutation,
} from '../../../common/api/generated/types.ts'
import { invalidValue, notSupported, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { defineKind, type WriteContext } from '../kind.ts'
import { checkOneOf } from '../validation/values.ts'
import { type CheckPart, checkPolicyParts, policyColumns, setPolicyDefaults } from './policy-parts.ts'
import { reinvocationPolicies } from './rules.ts'

export const mutatingAdmissionPolicy = defineKind('admissionregistration.k8s.io/v1/mutatingadmissionpolicies', {
  allowUnconditionalUpdate: false,
  categories: ['api-extensions'],
  setDefaults: setPolicyDefaults,
  validate: checkPolicy,
  columns: policyColumns(
    {
      name: 'Mutations',
      description: 'Mutation indicates the number of mutations rules defined in this configuration',
    },
    ({ spec }: MutatingAdmissionPolicy) => spec?.mutations?.length ?? 0,
  ),
})

function checkPolicy(
  { spec = {} }: MutatingAdmissionPolicy,
  context: WriteContext,
  old: MutatingAdmissionPolicy | undefined,
): FieldError[] {
  const errors: FieldError[] = []
  const check = checkPolicyParts(errors, spec, old?.spec, context)
  const { mutations = [] } = spec
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  mutations.forEach((mutation, index) => {
    checkMutation(errors, `spec.mutations[${String(index)}]`, mutation, check)
  })
  checkOneOf(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy, reinvocationPolicies)
  return errors
}

const patches = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function checkMutation(errors: FieldError[], path: string, mutation: Mutation, check: CheckPart): void {
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
  else check(at, { purpose: field, text: patch.expression ?? '' })
  if (mutation[other] !== undefined) {
    const detail = `must not be specified when patchType is ${patchType}`
    errors.push(invalidValue(`${path}.${other}`, `{${other}}`, detail))
  }
}
