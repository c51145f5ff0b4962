// Role and ClusterRole: what is allowed, to whom is said elsewhere.
import type { ClusterRole, Role } from '../../../common/api/generated/types.ts'
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { defaultColumns } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkRules } from './rules.ts'

export const role = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  scope: 'Namespaced',
  schema: 'io.k8s.api.rbac.v1.Role',
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

export const clusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  scope: 'Cluster',
  schema: 'io.k8s.api.rbac.v1.ClusterRole',
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
