// Validation of regular, init and ephemeral containers.
import type {
  Container,
  ContainerPort,
  ContainerRestartRule,
  EphemeralContainer,
  PodSpec,
} from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundField,
  notSupported,
  required,
  tooMany,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { checkName, isDnsLabel, isPortName } from '../../validation/names.ts'
import { checkOneOf, checkPort, unsupported } from '../../validation/values.ts'
import { checkEnv, checkEnvFrom } from './environment.ts'
import { checkLifecycle, checkProbe } from './handlers.ts'
import { checkDevices, checkMounts } from './mounts.ts'
import { checkResources } from './resources.ts'
import type { PodSpecScope } from './scope.ts'
import { checkSecurityContext } from './security.ts'

const protocols = ['SCTP', 'TCP', 'UDP']

export function checkContainers(scope: PodSpecScope, path: string, spec: PodSpec): void {
  const { errors } = scope
  const containers = spec.containers ?? []
  if (containers.length === 0) errors.push(required(`${path}.containers`))
  const names = new Set<string>()
  containers.forEach((container, index) => {
    const at = `${path}.containers[${String(index)}]`
    checkContainer(scope, at, container)
    claimName(errors, at, container.name, names)
    checkHooks(scope, at, container)
    if (container.restartPolicy !== undefined || container.restartPolicyRules !== undefined) {
      checkContainerRestart(errors, at, container, ['Always', 'OnFailure', 'Never'])
    }
  })
  const hostPorts = new Set<string>()
  containers.forEach((container, index) => {
    checkHostPorts(errors, `${path}.containers[${String(index)}].ports`, container.ports ?? [], hostPorts)
  })
  checkInitContainers(scope, `${path}.initContainers`, spec.initContainers ?? [], names)
  checkEphemeralContainers(scope, `${path}.ephemeralContainers`, spec)
}

function claimName(errors: FieldError[], at: string, name: string, names: Set<string>): void {
  if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
  else if (name) names.add(name)
}

function checkInitContainers(
  scope: PodSpecScope,
  path: string,
  containers: readonly Container[],
  names: Set<string>,
): void {
  const { errors } = scope
  containers.forEach((container, index) => {
    const at = `${path}[${String(index)}]`
    checkContainer(scope, at, container)
    checkContainerRestart(errors, at, container, ['Always', 'OnFailure', 'Never'])
    claimName(errors, at, container.name, names)
    checkHostPorts(errors, `${at}.ports`, container.ports ?? [], new Set())
    if (container.restartPolicy === 'Always') {
      checkHooks(scope, at, container)
      return
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field] !== undefined) {
        errors.push(forbiddenField(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
      }
    }
  })
}

/** Since 1.35 every container may have its own restart policy; rules need one. */
function checkContainerRestart(
  errors: FieldError[],
  at: string,
  container: Container,
  policies: readonly string[],
): void {
  const { restartPolicy, restartPolicyRules = [] } = container
  if (restartPolicy !== undefined && !policies.includes(restartPolicy)) {
    errors.push(unsupported(`${at}.restartPolicy`, restartPolicy, policies))
  }
  if (restartPolicyRules.length > 0 && restartPolicy === undefined) {
    errors.push(required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  }
  if (restartPolicyRules.length > maxRestartRules)
    errors.push(tooMany(`${at}.restartPolicyRules`, restartPolicyRules.length, maxRestartRules))
  restartPolicyRules.forEach((rule, index) => {
    checkRestartRule(errors, `${at}.restartPolicyRules[${String(index)}]`, rule)
  })
}

const maxRestartRules = 20
const maxExitCodes = 255

function checkRestartRule(errors: FieldError[], path: string, { action, exitCodes }: ContainerRestartRule): void {
  checkOneOf(errors, `${path}.action`, action, ['Restart', 'RestartAllContainers'])
  if (exitCodes === undefined) {
    errors.push(required(`${path}.exitCodes`, 'must be specified'))
    return
  }
  const { operator, values = [] } = exitCodes
  checkOneOf(errors, `${path}.exitCodes.operator`, operator, ['In', 'NotIn'])
  if (values.length > maxExitCodes) errors.push(tooMany(`${path}.exitCodes.values`, values.length, maxExitCodes))
}

/** What an ephemeral container may not have: nothing of the workload may depend on it. */
const notEphemeral = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const

function checkEphemeralContainers(scope: PodSpecScope, path: string, spec: PodSpec): void {
  const { errors } = scope
  const others = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.name),
  )
  const names = new Set(others)
  spec.ephemeralContainers?.forEach((container, index) => {
    const at = `${path}[${String(index)}]`
    const refuse = (field: string): void => {
      errors.push(forbiddenField(`${at}.${field}`, 'cannot be set for an Ephemeral Container'))
    }
    checkContainer(scope, at, container)
    if (container.image !== undefined && container.image.trim() !== container.image) {
      errors.push(invalidValue(`${at}.image`, container.image, 'must not have leading or trailing whitespace'))
    }
    claimName(errors, at, container.name, names)
    const target = container.targetContainerName ?? ''
    if (target !== '' && !others.has(target)) errors.push(notFoundField(`${at}.targetContainerName`, target))
    for (const field of notEphemeral) if (container[field] !== undefined) refuse(field)
    if (Object.keys(container.resources ?? {}).length > 0) refuse('resources')
    container.volumeMounts?.forEach(({ subPath = '', subPathExpr = '' }, mount) => {
      if (subPath !== '') refuse(`volumeMounts[${String(mount)}].subPath`)
      if (subPathExpr !== '') refuse(`volumeMounts[${String(mount)}].subPathExpr`)
    })
  })
}

/** What all sorts of containers have in common. */
function checkContainer(scope: PodSpecScope, at: string, container: Container | EphemeralContainer): void {
  const { errors } = scope
  const { name, image = '', terminationMessagePolicy, imagePullPolicy } = container
  if (!name) errors.push(required(`${at}.name`))
  else checkName(errors, `${at}.name`, name, isDnsLabel)
  if (image === '') errors.push(required(`${at}.image`))
  const messagePolicies = ['File', 'FallbackToLogsOnError']
  if (!terminationMessagePolicy) errors.push(required(`${at}.terminationMessagePolicy`))
  else if (!messagePolicies.includes(terminationMessagePolicy)) {
    errors.push(unsupported(`${at}.terminationMessagePolicy`, terminationMessagePolicy, messagePolicies))
  }
  checkPorts(errors, `${at}.ports`, container.ports ?? [])
  checkEnv(errors, `${at}.env`, container.env ?? [])
  checkEnvFrom(errors, `${at}.envFrom`, container.envFrom ?? [])
  checkMounts(scope, `${at}.volumeMounts`, container)
  checkDevices(scope, `${at}.volumeDevices`, container)
  checkOneOf(errors, `${at}.imagePullPolicy`, imagePullPolicy, ['Always', 'IfNotPresent', 'Never'])
  checkResources(errors, `${at}.resources`, container.resources ?? {}, { claims: scope.resourceClaims })
  checkResizePolicy(scope, `${at}.resizePolicy`, container)
  if (container.securityContext !== undefined) {
    checkSecurityContext(errors, `${at}.securityContext`, container.securityContext, scope.hostUsers)
  }
}

function checkHooks(scope: PodSpecScope, at: string, container: Container): void {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container
  if (lifecycle !== undefined) checkLifecycle(scope, `${at}.lifecycle`, lifecycle)
  if (livenessProbe !== undefined) checkProbe(scope, `${at}.livenessProbe`, livenessProbe, 'liveness')
  if (readinessProbe !== undefined) checkProbe(scope, `${at}.readinessProbe`, readinessProbe, 'readiness')
  if (startupProbe !== undefined) checkProbe(scope, `${at}.startupProbe`, startupProbe, 'startup')
}

function checkPorts(errors: FieldError[], path: string, ports: readonly ContainerPort[]): void {
  const names = new Set<string>()
  ports.forEach(({ name = '', containerPort, hostPort = 0, protocol }, index) => {
    const at = `${path}[${String(index)}]`
    if (name !== '') {
      const before = errors.length
      checkName(errors, `${at}.name`, name, isPortName)
      if (errors.length === before && names.has(name)) errors.push(duplicate(`${at}.name`, name))
      names.add(name)
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`))
    else checkPort(errors, `${at}.containerPort`, containerPort)
    if (hostPort !== 0) checkPort(errors, `${at}.hostPort`, hostPort)
    checkOneOf(errors, `${at}.protocol`, protocol, protocols)
  })
}

function checkHostPorts(errors: FieldError[], path: string, ports: readonly ContainerPort[], taken: Set<string>): void {
  ports.forEach(({ hostPort = 0, hostIP = '', protocol = '' }, index) => {
    if (hostPort === 0) return
    const key = `${protocol}/${hostIP}/${String(hostPort)}`
    if (taken.has(key)) errors.push(duplicate(`${path}[${String(index)}].hostPort`, key))
    taken.add(key)
  })
}

function checkResizePolicy(
  { errors, restartPolicy: podPolicy }: PodSpecScope,
  path: string,
  container: Container | EphemeralContainer,
): void {
  const seen = new Set<string>()
  container.resizePolicy?.forEach(({ resourceName, restartPolicy }, index) => {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${String(index)}]`, resourceName))
    seen.add(resourceName)
    if (!resourceName) errors.push(required(path))
    else if (resourceName !== 'cpu' && resourceName !== 'memory')
      errors.push(notSupported(path, resourceName, ['cpu', 'memory']))
    checkOneOf(errors, path, restartPolicy, ['NotRequired', 'RestartContainer'])
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalidValue(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    }
  })
}
