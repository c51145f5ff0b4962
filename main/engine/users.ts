// The identities inside the engine. Each part acts under its own name, so that RBAC and the history say who did what.
import type { UserInfo } from '../apiserver/apiserver.ts'

export const admin: UserInfo = { name: 'orrery-admin', groups: ['system:masters', 'system:authenticated'] }
export const controllerManager: UserInfo = {
  name: 'system:kube-controller-manager',
  groups: ['system:masters', 'system:authenticated'],
}
export const scheduler: UserInfo = { name: 'system:kube-scheduler', groups: ['system:masters', 'system:authenticated'] }
export const labController: UserInfo = {
  name: 'system:orrery:lab-controller',
  groups: ['system:masters', 'system:authenticated'],
}

export const nodeUser = (machine: string): UserInfo => ({
  name: `system:node:${machine}`,
  groups: ['system:nodes', 'system:authenticated'],
})
