// ValidatingAdmissionPolicy: rules in CEL that a write must satisfy.
import type {
  AuditAnnotation,
  TypeChecking,
  ValidatingAdmissionPolicy,
  Validation,
} from '../../../common/api/generated/types.ts'
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { byteLength } from '../../../common/machinery/names.ts'
import { defineKind, type WriteContext } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkConditions } from '../validation/conditions.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'
import { type CheckPart, checkPolicyParts, policyColumns, setPolicyDefaults } from './policy-parts.ts'

const maxAuditAnnotations = 20
const maxAuditExpressionBytes = 5 * 1024
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

export const validatingAdmissionPolicy = defineKind('admissionregistration.k8s.io/v1/validatingadmissionpolicies', {
  allowUnconditionalUpdate: false,
  categories: ['api-extensions'],
  prepareForCreate: dropStatus,
  setDefaults: setPolicyDefaults,
  validate: checkPolicy,
  update: mainDoor(),
  status: statusDoor({
    validate: ({ status }) => {
      const errors: FieldError[] = []
      checkTypeChecking(errors, 'status.typeChecking.expressionWarnings', status?.typeChecking)
      checkConditions(errors, 'status.conditions', status?.conditions ?? [])
      return errors
    },
  }),
  columns: policyColumns(
    {
      name: 'Validations',
      description: 'Validations indicates the number of validation rules defined in this configuration',
    },
    ({ spec }: ValidatingAdmissionPolicy) => spec?.validations?.length ?? 0,
  ),
})

function checkPolicy(
  { metadata, spec = {} }: ValidatingAdmissionPolicy,
  context: WriteContext,
  old: ValidatingAdmissionPolicy | undefined,
): FieldError[] {
  const errors: FieldError[] = []
  const check = checkPolicyParts(errors, spec, old?.spec, context)
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item'
    errors.push(required('spec.validations', why), required('spec.auditAnnotations', why))
    return errors
  }
  validations.forEach((validation, index) => {
    checkValidation(errors, `spec.validations[${String(index)}]`, validation, check)
  })
  if (auditAnnotations.length > maxAuditAnnotations) {
    const detail = `must not have more than ${String(maxAuditAnnotations)} auditAnnotations`
    errors.push(invalidValue('spec.auditAnnotations', auditAnnotations, detail))
  }
  const keys = new Set<string>()
  auditAnnotations.forEach((annotation, index) => {
    const at = `spec.auditAnnotations[${String(index)}]`
    checkAuditAnnotation(errors, at, { annotation, policy: metadata.name ?? '' }, check)
    if (keys.has(annotation.key)) errors.push(duplicate(`${at}.key`, annotation.key))
    keys.add(annotation.key)
  })
  return errors
}

function checkValidation(errors: FieldError[], path: string, validation: Validation, check: CheckPart): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation
  if (expression.trim() === '') errors.push(required(`${path}.expression`, 'expression is not specified'))
  else check(`${path}.expression`, { purpose: 'validation', text: expression })
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(invalidValue(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'))
  else if (messageExpression !== '')
    check(`${path}.messageExpression`, { purpose: 'messageExpression', text: messageExpression })
  if (message !== '' && message.trim() === '')
    errors.push(invalidValue(`${path}.message`, message, 'message must be non-empty if specified'))
  else if (/[\n\r]/.test(message.trim()))
    errors.push(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons))
}

function checkAuditAnnotation(
  errors: FieldError[],
  path: string,
  { annotation, policy }: { readonly annotation: AuditAnnotation; readonly policy: string },
  check: CheckPart,
): void {
  const { key = '', valueExpression = '' } = annotation
  if (policy === '') errors.push(invalidValue(`${path}.key`, key, 'requires metadata.name be non-empty'))
  else checkName(errors, `${path}.key`, `${policy}/${key}`, isQualifiedName)
  const text = valueExpression.trim()
  const at = `${path}.valueExpression`
  if (text === '') errors.push(required(at, 'valueExpression is not specified'))
  else if (byteLength(text) > maxAuditExpressionBytes)
    errors.push(required(at, `must not exceed ${String(maxAuditExpressionBytes)} bytes in length`))
  else check(at, { purpose: 'auditAnnotation', text, value: valueExpression })
}

function checkTypeChecking(errors: FieldError[], path: string, checking: TypeChecking | undefined): void {
  checking?.expressionWarnings?.forEach(({ warning, fieldRef = '' }, index) => {
    const at = `${path}[${String(index)}]`
    if (!warning) errors.push(required(`${at}.warning`))
    if (fieldRef.trim() === '') errors.push(required(`${at}.fieldRef`))
  })
}
