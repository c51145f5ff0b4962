// The parameters of requests (ListOptions, DeleteOptions, and those of writes) against upstream's rules: all errors at once, as one 422.
import type { DeleteOptions } from '../../../common/api/generated/types.ts'
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../../common/machinery/field-error.ts'
import { invalid } from '../../../common/machinery/status.ts'

export type OptionsKind = 'ListOptions' | 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'

function refuseIfAny(kind: OptionsKind, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
}

export interface ListParameters {
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly continueToken: string
  /** Given at all, whatever its value. */
  readonly sendInitialEvents: boolean
}

const matchField = 'resourceVersionMatch'

export function checkListOptions(options: ListParameters): void {
  const { resourceVersion, resourceVersionMatch: match, continueToken, sendInitialEvents } = options
  const errors: FieldError[] = []
  const forbid = (field: string, why: string): unknown => errors.push(forbiddenField(field, why))
  if (match !== '') {
    if (resourceVersion === '')
      forbid(matchField, 'resourceVersionMatch is forbidden unless resourceVersion is provided')
    if (continueToken !== '') forbid(matchField, 'resourceVersionMatch is forbidden when continue is provided')
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.push(notSupported(matchField, match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && resourceVersion === '0')
      forbid(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
  if (sendInitialEvents) forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list')
  refuseIfAny('ListOptions', errors)
}

export function checkWatchOptions(options: Omit<ListParameters, 'resourceVersion'>): void {
  const { resourceVersionMatch: match, continueToken, sendInitialEvents } = options
  const errors: FieldError[] = []
  const forbid = (why: string): unknown => errors.push(forbiddenField(matchField, why))
  if (sendInitialEvents && match !== 'NotOlderThan')
    forbid('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (match !== '') {
    if (!sendInitialEvents) forbid('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
    if (match !== 'NotOlderThan') errors.push(notSupported(matchField, match, ['NotOlderThan']))
    if (continueToken !== '') forbid('resourceVersionMatch is forbidden when continue is provided')
  }
  refuseIfAny('ListOptions', errors)
}

const policies = ['Foreground', 'Background', 'Orphan']

export function checkDeleteOptions(options: DeleteOptions): void {
  const { propagationPolicy: policy, orphanDependents, dryRun = [] } = options
  const errors: FieldError[] = []
  if (policy !== undefined) {
    if (orphanDependents !== undefined)
      errors.push(
        invalidValue('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
      )
    if (!policies.includes(policy)) errors.push(notSupported('propagationPolicy', policy, [...policies, 'nil']))
  }
  refuseIfAny('DeleteOptions', [...errors, ...dryRunErrors(dryRun)])
}

export interface WriteParameters {
  readonly fieldManager: string
  readonly dryRun: readonly string[]
  readonly fieldValidation: string
  /** For patches only: what kind of patch, and whether `force` was given. */
  readonly patch?: { readonly apply: boolean; readonly force: boolean }
}

export function checkWriteOptions(kind: OptionsKind, options: WriteParameters): void {
  const { fieldManager, dryRun, fieldValidation, patch } = options
  const errors: FieldError[] = []
  if (patch?.apply === true && fieldManager === '') errors.push(required('fieldManager', 'is required for apply patch'))
  if (patch?.apply === false && patch.force)
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'))
  errors.push(...fieldManagerErrors(fieldManager), ...dryRunErrors(dryRun))
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation))
    errors.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Warn', 'Strict']))
  refuseIfAny(kind, errors)
}

const dryRunErrors = (dryRun: readonly string[]): FieldError[] =>
  dryRun.every((value) => value === 'All') ? [] : [notSupported('dryRun', dryRun, ['All'])]

const maxFieldManagerBytes = 128

function fieldManagerErrors(manager: string): FieldError[] {
  const errors =
    Buffer.byteLength(manager) > maxFieldManagerBytes ? [tooLong('fieldManager', maxFieldManagerBytes)] : []
  let position = 0
  for (const character of manager) {
    // Printable as Go has it: letters, marks, numbers, punctuation, symbols and the plain space.
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) {
      const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
      errors.push(invalidValue('fieldManager', manager, `invalid character ${code} (at position ${String(position)})`))
    }
    position += Buffer.byteLength(character)
  }
  return errors
}
