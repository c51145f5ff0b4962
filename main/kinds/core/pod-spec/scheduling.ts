// Validation of tolerations, taints, topology spreading and scheduling gates.
import type {
  PodSchedulingGate,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../../../../common/machinery/field-error.ts'
import { checkLabelSelector } from '../../validation/label-selector.ts'
import { checkName, isLabelValue, isQualifiedName } from '../../validation/names.ts'
import { unsupported } from '../../validation/values.ts'

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function checkTolerations(errors: FieldError[], path: string, tolerations: readonly Toleration[]): void {
  tolerations.forEach(({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, index) => {
    const at = `${path}[${String(index)}]`
    if (key !== '') checkName(errors, `${at}.key`, key, isQualifiedName)
    else if (operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalidValue(`${at}.operator`, operator, detail))
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalidValue(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    }
    if (operator === 'Equal' || operator === '') {
      const problems = isLabelValue(value)
      if (problems.length > 0) errors.push(invalidValue(`${at}.operator`, value, problems.join(';')))
    } else if (operator === 'Exists') {
      if (value !== '')
        errors.push(invalidValue(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"))
    } else {
      errors.push(unsupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    }
    if (effect !== '' && !taintEffects.includes(effect)) errors.push(unsupported(`${at}.effect`, effect, taintEffects))
  })
}

/** Each pair of key and effect at most once. */
export function checkTaints(errors: FieldError[], path: string, taints: readonly Taint[]): void {
  const seen = new Set<string>()
  taints.forEach((taint, index) => {
    const at = `${path}[${String(index)}]`
    const { key, value = '', effect } = taint
    checkName(errors, `${at}.key`, key, isQualifiedName)
    const problems = isLabelValue(value)
    if (problems.length > 0) errors.push(invalidValue(`${at}.value`, value, problems.join(';')))
    if (!effect) errors.push(required(`${at}.effect`))
    else if (!taintEffects.includes(effect)) errors.push(unsupported(`${at}.effect`, effect, taintEffects))
    const id = `${effect} ${key}`
    if (seen.has(id)) {
      errors.push(new FieldError('FieldValueDuplicate', at, taint, 'taints must be unique by key and effect pair'))
    }
    seen.add(id)
  })
}

const actions = ['DoNotSchedule', 'ScheduleAnyway']
const inclusion = ['Honor', 'Ignore']

export function checkTopologySpread(
  errors: FieldError[],
  path: string,
  constraints: readonly TopologySpreadConstraint[],
): void {
  constraints.forEach((constraint, index) => {
    const at = `${path}[${String(index)}]`
    const { maxSkew = 0, topologyKey, whenUnsatisfiable, minDomains, nodeAffinityPolicy, nodeTaintsPolicy } = constraint
    if (maxSkew <= 0) errors.push(invalidValue(`${at}.maxSkew`, maxSkew, 'must be greater than zero'))
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (!actions.includes(whenUnsatisfiable))
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, actions))
    const repeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (repeated)
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`))
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalidValue(`${at}.minDomains`, minDomains, 'must be greater than zero'))
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
        errors.push(invalidValue(`${at}.minDomains`, minDomains, detail))
      }
    }
    for (const [field, policy] of Object.entries({ nodeAffinityPolicy, nodeTaintsPolicy })) {
      if (policy !== undefined && !inclusion.includes(policy))
        errors.push(notSupported(`${at}.${field}`, policy, inclusion))
    }
    checkSpreadKeys(errors, `${at}.matchLabelKeys`, constraint)
    checkLabelSelector(errors, `${at}.labelSelector`, constraint.labelSelector)
  })
}

function checkSpreadKeys(
  errors: FieldError[],
  path: string,
  { matchLabelKeys = [], labelSelector }: TopologySpreadConstraint,
): void {
  if (matchLabelKeys.length === 0) return
  if (labelSelector === undefined)
    errors.push(forbiddenField(path, 'must not be specified when labelSelector is not set'))
  const selected = new Set([
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map((expression) => expression.key),
  ])
  matchLabelKeys.forEach((key, index) => {
    checkName(errors, `${path}[${String(index)}]`, key, isQualifiedName)
    if (selected.has(key))
      errors.push(invalidValue(`${path}[${String(index)}]`, key, 'exists in both matchLabelKeys and labelSelector'))
  })
}

export function checkSchedulingGates(errors: FieldError[], path: string, gates: readonly PodSchedulingGate[]): void {
  const seen = new Set<string>()
  gates.forEach(({ name }, index) => {
    const at = `${path}[${String(index)}]`
    checkName(errors, at, name, isQualifiedName)
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
  })
}
