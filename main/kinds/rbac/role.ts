// Role and ClusterRole: what is allowed, to whom is said elsewhere.
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { defaultColumns } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkRules } from './rules.ts'

export const role = defineKind('rbac.authorization.k8s.io/v1/roles', {
  allowCreateOnUpdate: true,
  nameRule: 'path-segment',
  setDefaults: (object) => {
    object.rules ??= []
  },
  validate: ({ rules = [] }) => {
    const errors: FieldError[] = []
    checkRules(errors, 'rules', rules, true)
    return errors
  },
  columns: defaultColumns,
})

export const clusterRole = defineKind('rbac.authorization.k8s.io/v1/clusterroles', {
  allowCreateOnUpdate: true,
  nameRule: 'path-segment',
  setDefaults: (object) => {
    object.rules ??= []
  },
  validate: ({ rules = [], aggregationRule }) => {
    const errors: FieldError[] = []
    checkRules(errors, 'rules', rules, false)
    if (aggregationRule !== undefined) {
      const selectors = aggregationRule.clusterRoleSelectors ?? []
      const path = 'aggregationRule.clusterRoleSelectors'
      if (selectors.length === 0)
        errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
      selectors.forEach((selector, index) => {
        checkLabelSelector(errors, `${path}[${String(index)}]`, selector)
      })
    }
    return errors
  },
  columns: defaultColumns,
})
