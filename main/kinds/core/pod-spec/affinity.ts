// Validation of node and pod affinity.
import type {
  Affinity,
  LabelSelector,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  WeightedPodAffinityTerm,
} from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkLabelSelector } from '../../validation/label-selector.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName } from '../../validation/names.ts'

export function checkAffinity(
  errors: FieldError[],
  path: string,
  { nodeAffinity, podAffinity, podAntiAffinity }: Affinity,
): void {
  const must = 'requiredDuringSchedulingIgnoredDuringExecution'
  const should = 'preferredDuringSchedulingIgnoredDuringExecution'
  if (nodeAffinity !== undefined) {
    const at = `${path}.nodeAffinity`
    if (nodeAffinity[must] !== undefined) checkNodeSelector(errors, `${at}.${must}`, nodeAffinity[must])
    nodeAffinity[should]?.forEach(({ weight, preference }, index) => {
      const term = `${at}.${should}[${String(index)}]`
      checkWeight(errors, term, weight)
      checkNodeSelectorTerm(errors, `${term}.preference`, preference, { anyValue: true })
    })
  }
  for (const [field, affinity] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    affinity?.[must]?.forEach((term, index) => {
      checkPodTerm(errors, `${path}.${field}.${must}[${String(index)}]`, term)
    })
    affinity?.[should]?.forEach((weighted: WeightedPodAffinityTerm, index) => {
      const term = `${path}.${field}.${should}[${String(index)}]`
      checkWeight(errors, term, weighted.weight)
      checkPodTerm(errors, `${term}.podAffinityTerm`, weighted.podAffinityTerm)
    })
  }
}

function checkWeight(errors: FieldError[], path: string, weight: number | undefined): void {
  if (weight === undefined || weight <= 0 || weight > 100) {
    errors.push(invalidValue(`${path}.weight`, weight ?? 0, 'must be in the range 1-100'))
  }
}

export function checkNodeSelector(errors: FieldError[], path: string, { nodeSelectorTerms = [] }: NodeSelector): void {
  if (nodeSelectorTerms.length === 0)
    errors.push(required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term'))
  nodeSelectorTerms.forEach((term, index) => {
    checkNodeSelectorTerm(errors, `${path}.nodeSelectorTerms[${String(index)}]`, term, { anyValue: false })
  })
}

function checkNodeSelectorTerm(
  errors: FieldError[],
  path: string,
  term: NodeSelectorTerm | undefined,
  options: { anyValue: boolean },
): void {
  term?.matchExpressions?.forEach((requirement, index) => {
    checkExpression(errors, `${path}.matchExpressions[${String(index)}]`, requirement, options)
  })
  term?.matchFields?.forEach((requirement, index) => {
    checkNodeField(errors, `${path}.matchFields[${String(index)}]`, requirement)
  })
}

function checkExpression(
  errors: FieldError[],
  path: string,
  { key, operator, values = [] }: NodeSelectorRequirement,
  options: { anyValue: boolean },
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(
        forbiddenField(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
      )
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
  } else {
    errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  }
  checkName(errors, `${path}.key`, key, isQualifiedName)
  if (options.anyValue) return
  values.forEach((value, index) => {
    checkName(errors, `${path}.values[${String(index)}]`, value, isLabelValue)
  })
}

/** metadata.name is the only field of nodes that can be selected. */
function checkNodeField(
  errors: FieldError[],
  path: string,
  { key, operator, values = [] }: NodeSelectorRequirement,
): void {
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  else if (values.length !== 1) {
    errors.push(
      required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    )
  }
  if (key !== 'metadata.name') {
    errors.push(invalidValue(`${path}.key`, key, 'not a valid field selector key'))
    return
  }
  values.forEach((value, index) => {
    checkName(errors, `${path}.values[${String(index)}]`, value, isDnsSubdomain)
  })
}

function checkPodTerm(errors: FieldError[], path: string, term: PodAffinityTerm | undefined): void {
  const {
    labelSelector,
    namespaceSelector,
    namespaces = [],
    matchLabelKeys = [],
    mismatchLabelKeys = [],
    topologyKey = '',
  } = term ?? {}
  checkLabelSelector(errors, `${path}.labelSelector`, labelSelector)
  checkLabelSelector(errors, `${path}.namespaceSelector`, namespaceSelector)
  for (const namespace of namespaces) checkName(errors, `${path}.namespace`, namespace, isDnsLabel)
  checkLabelKeys(errors, `${path}.matchLabelKeys`, matchLabelKeys, labelSelector)
  checkLabelKeys(errors, `${path}.mismatchLabelKeys`, mismatchLabelKeys, labelSelector)
  const labels = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.indexOf(key)
    if (index >= 0 && labels.has(key)) {
      errors.push(invalidValue(`${path}[${String(index)}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    }
    labels.add(key)
  }
  matchLabelKeys.forEach((key, index) => {
    if (mismatchLabelKeys.includes(key)) {
      errors.push(
        invalidValue(
          `${path}.matchLabelKeys[${String(index)}]`,
          key,
          'exists in both matchLabelKeys and mismatchLabelKeys',
        ),
      )
    }
  })
  if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  checkName(errors, `${path}.topologyKey`, topologyKey, isQualifiedName)
}

function checkLabelKeys(
  errors: FieldError[],
  path: string,
  keys: readonly string[],
  selector: LabelSelector | undefined,
): void {
  if (keys.length === 0) return
  if (selector === undefined) {
    errors.push(forbiddenField(path, 'must not be specified when labelSelector is not set'))
    return
  }
  keys.forEach((key, index) => {
    checkName(errors, `${path}[${String(index)}]`, key, isQualifiedName)
  })
}
