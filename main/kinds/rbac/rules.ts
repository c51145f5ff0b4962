// Validation of what roles allow.
import type { PolicyRule } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'

export function checkRules(
  errors: FieldError[],
  path: string,
  rules: readonly PolicyRule[],
  namespaced: boolean,
): void {
  rules.forEach((rule, index) => {
    const at = `${path}[${String(index)}]`
    const { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule
    if (verbs.length === 0) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'))
    if (nonResourceURLs.length > 0) {
      if (namespaced) {
        errors.push(
          invalidValue(`${at}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'),
        )
      }
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
        errors.push(
          invalidValue(
            `${at}.nonResourceURLs`,
            nonResourceURLs,
            'rules cannot apply to both regular resources and non-resource URLs',
          ),
        )
      }
      return
    }
    if (apiGroups.length === 0)
      errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
    if (resources.length === 0)
      errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'))
  })
}
