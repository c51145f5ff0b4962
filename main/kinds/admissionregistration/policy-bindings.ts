// ValidatingAdmissionPolicyBinding and MutatingAdmissionPolicyBinding: where a policy applies, and with which parameters.
import type {
  AdmissionregistrationV1MatchResources,
  AdmissionregistrationV1ParamRef,
} from '../../../common/api/generated/types.ts'
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type Column } from '../kind.ts'
import { checkName, isDnsSubdomain } from '../validation/names.ts'
import { checkParamRef, paramRefCell } from './policy-parts.ts'
import { checkMatchResources, setMatchDefaults } from './rules.ts'

interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: AdmissionregistrationV1ParamRef
  readonly matchResources?: AdmissionregistrationV1MatchResources
}

export const validatingAdmissionPolicyBinding = defineKind(
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
  {
    allowUnconditionalUpdate: false,
    categories: ['api-extensions'],
    setDefaults: ({ spec }) => {
      setSpecDefaults(spec)
    },
    validate: ({ spec }) => {
      const errors: FieldError[] = []
      checkSpec(errors, 'spec', spec ?? {})
      checkActions(errors, 'spec.validationActions', spec?.validationActions ?? [])
      return errors
    },
    columns: bindingColumns(({ spec }) => spec),
  },
)

export const mutatingAdmissionPolicyBinding = defineKind(
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings',
  {
    allowUnconditionalUpdate: false,
    categories: ['api-extensions'],
    setDefaults: ({ spec }) => {
      setSpecDefaults(spec)
    },
    validate: ({ spec = {} }) => {
      const errors: FieldError[] = []
      checkSpec(errors, 'spec', spec)
      return errors
    },
    columns: bindingColumns(({ spec }) => spec),
  },
)

function setSpecDefaults(spec: BindingSpec | undefined): void {
  if (spec?.matchResources !== undefined) setMatchDefaults(spec.matchResources)
}

function checkSpec(errors: FieldError[], path: string, { policyName, paramRef, matchResources }: BindingSpec): void {
  if (!policyName) errors.push(required(`${path}.policyName`))
  else checkName(errors, `${path}.policyName`, policyName, isDnsSubdomain)
  if (paramRef !== undefined) checkParamRef(errors, `${path}.paramRef`, paramRef)
  // The path is misspelt in Kubernetes, and clients see it so.
  if (matchResources !== undefined) checkMatchResources(errors, `${path}.matchResouces`, matchResources)
}

const actions = ['Audit', 'Deny', 'Warn']

function checkActions(errors: FieldError[], path: string, wanted: readonly string[]): void {
  const seen = new Set<string>()
  wanted.forEach((action, index) => {
    const at = `${path}[${String(index)}]`
    if (!actions.includes(action)) errors.push(notSupported(at, action, actions))
    if (seen.has(action)) errors.push(duplicate(at, action))
    seen.add(action)
  })
  if (seen.has('Deny') && seen.has('Warn')) {
    const detail =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
    errors.push(invalidValue(path, wanted, detail))
  }
  if (seen.size === 0) errors.push(required(path, 'at least one validation action is required'))
}

function bindingColumns<T extends Parameters<typeof nameColumn.cell>[0]>(
  specOf: (object: T) => BindingSpec | undefined,
): readonly Column<T>[] {
  return [
    nameColumn,
    {
      name: 'PolicyName',
      type: 'string',
      description: 'PolicyName indicates the policy definition which the policy binding binded to',
      cell: (object) => specOf(object)?.policyName ?? '',
    },
    {
      name: 'ParamRef',
      type: 'string',
      description: 'ParamRef indicates the param resource which sets the configration param',
      cell: (object) => paramRefCell(specOf(object)?.paramRef),
    },
    ageColumn,
  ]
}
