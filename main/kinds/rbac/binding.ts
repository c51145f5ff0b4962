// RoleBinding and ClusterRoleBinding: who gets a role. The role of a binding is for good, so that nobody's rights change silently.
import type { ClusterRoleBinding, RbacV1Subject, RoleBinding, RoleRef } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind, type Column } from '../kind.ts'
import { checkName, isDnsSubdomain, isPathSegment } from '../validation/names.ts'
import { unsupported } from '../validation/values.ts'

type Binding = RoleBinding | ClusterRoleBinding
const rbacGroup = 'rbac.authorization.k8s.io'

export const roleBinding = defineKind('rbac.authorization.k8s.io/v1/rolebindings', {
  allowCreateOnUpdate: true,
  nameRule: 'path-segment',
  setDefaults: setBindingDefaults,
  validate: (object) => checkBinding(object, ['Role', 'ClusterRole'], object.metadata.namespace),
  update: { validate: checkSameRole },
  columns: bindingColumns(),
})

export const clusterRoleBinding = defineKind('rbac.authorization.k8s.io/v1/clusterrolebindings', {
  allowCreateOnUpdate: true,
  nameRule: 'path-segment',
  setDefaults: setBindingDefaults,
  validate: (object) => checkBinding(object, ['ClusterRole'], undefined),
  update: { validate: checkSameRole },
  columns: bindingColumns(),
})

function setBindingDefaults(object: Binding): void {
  if (object.roleRef !== undefined) object.roleRef.apiGroup ||= rbacGroup
  for (const subject of object.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup
  }
}

function checkBinding(
  { roleRef, subjects = [] }: Binding,
  kinds: readonly string[],
  namespace: string | undefined,
): FieldError[] {
  const errors: FieldError[] = []
  const { apiGroup = '', kind = '', name = '' }: RoleRef = roleRef ?? { kind: '', name: '' }
  if (apiGroup !== rbacGroup) errors.push(unsupported('roleRef.apiGroup', apiGroup, [rbacGroup]))
  if (!kinds.includes(kind)) errors.push(unsupported('roleRef.kind', kind, kinds))
  if (name === '') errors.push(required('roleRef.name'))
  else checkName(errors, 'roleRef.name', name, isPathSegment)
  subjects.forEach((subject, index) => {
    checkSubject(errors, `subjects[${String(index)}]`, subject, namespace !== undefined)
  })
  return errors
}

function checkSubject(errors: FieldError[], path: string, subject: RbacV1Subject, namespacedBinding: boolean): void {
  const { kind, name, namespace = '', apiGroup = '' } = subject
  if (!name) errors.push(required(`${path}.name`))
  switch (kind) {
    case 'ServiceAccount':
      if (name) checkName(errors, `${path}.name`, name, isDnsSubdomain)
      if (apiGroup !== '') errors.push(unsupported(`${path}.apiGroup`, apiGroup, ['']))
      if (!namespacedBinding && namespace === '') errors.push(required(`${path}.namespace`))
      break
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) errors.push(unsupported(`${path}.apiGroup`, apiGroup, [rbacGroup]))
      break
    default:
      errors.push(unsupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']))
  }
}

function checkSameRole(object: Binding, old: Binding): FieldError[] {
  return semanticEqual(object.roleRef, old.roleRef)
    ? []
    : [invalidValue('roleRef', object.roleRef, 'cannot change roleRef')]
}

function bindingColumns(): readonly Column<Binding>[] {
  const named = (kind: string) => (object: Binding) =>
    (object.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ namespace = '', name }) =>
        kind === 'ServiceAccount' && namespace !== '' ? `${namespace}/${name}` : name,
      )
      .join(', ')
  return [
    nameColumn,
    { name: 'Role', type: 'string', cell: ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}` },
    ageColumn,
    { name: 'Users', type: 'string', priority: 1, cell: named('User') },
    { name: 'Groups', type: 'string', priority: 1, cell: named('Group') },
    { name: 'ServiceAccounts', type: 'string', priority: 1, cell: named('ServiceAccount') },
  ]
}
