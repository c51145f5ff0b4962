// Validation of probes and lifecycle hooks.
import type { Lifecycle, LifecycleHandler, Probe } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required } from '../../../../common/machinery/field-error.ts'
import { validateHttpHeaderName } from '../../../../common/machinery/names.ts'
import { checkName } from '../../validation/names.ts'
import { checkNonNegative, checkPort, checkPortNumberOrName, unsupported } from '../../validation/values.ts'
import type { PodSpecScope } from './scope.ts'

type Handler = LifecycleHandler & Pick<Probe, 'grpc'>

export function checkProbe(
  scope: PodSpecScope,
  at: string,
  probe: Probe,
  role: 'liveness' | 'readiness' | 'startup',
): void {
  const { errors } = scope
  checkHandler(scope, at, probe)
  checkNonNegative(errors, `${at}.initialDelaySeconds`, probe.initialDelaySeconds)
  checkNonNegative(errors, `${at}.timeoutSeconds`, probe.timeoutSeconds)
  checkNonNegative(errors, `${at}.periodSeconds`, probe.periodSeconds)
  checkNonNegative(errors, `${at}.successThreshold`, probe.successThreshold)
  checkNonNegative(errors, `${at}.failureThreshold`, probe.failureThreshold)
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0) {
    errors.push(invalidValue(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  }
  if (role !== 'readiness' && probe.successThreshold !== 1) {
    errors.push(invalidValue(`${at}.successThreshold`, probe.successThreshold, 'must be 1'))
  }
  if (role === 'readiness' && grace !== undefined) {
    errors.push(invalidValue(`${at}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'))
  }
}

export function checkLifecycle(scope: PodSpecScope, at: string, { postStart, preStop }: Lifecycle): void {
  if (postStart !== undefined) checkHandler(scope, `${at}.postStart`, postStart)
  if (preStop !== undefined) checkHandler(scope, `${at}.preStop`, preStop)
}

function checkHandler(scope: PodSpecScope, at: string, handler: Handler): void {
  const { errors } = scope
  const present = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter(
    (kind) => handler[kind] !== undefined,
  )
  if (present.length === 0) errors.push(required(at, 'must specify a handler type'))
  for (const extra of present.slice(1))
    errors.push(forbiddenField(`${at}.${extra}`, 'may not specify more than 1 handler type'))
  switch (present[0]) {
    case 'exec':
      if ((handler.exec?.command ?? []).length === 0) errors.push(required(`${at}.exec.command`))
      break
    case 'httpGet':
      checkHttpGet(scope, `${at}.httpGet`, handler.httpGet)
      break
    case 'tcpSocket':
      checkPortNumberOrName(errors, `${at}.tcpSocket.port`, handler.tcpSocket?.port ?? 0)
      break
    case 'grpc':
      checkPort(errors, `${at}.grpc.port`, handler.grpc?.port ?? 0)
      break
    case 'sleep': {
      const seconds = handler.sleep?.seconds ?? 0
      const grace = scope.gracePeriodSeconds
      if (grace !== undefined && (seconds < 0 || seconds > grace)) {
        const limit = `must be non-negative and less than terminationGracePeriodSeconds (${String(grace)})`
        errors.push(invalidValue(`${at}.sleep`, seconds, limit))
      }
      break
    }
    case undefined:
      break
  }
}

function checkHttpGet({ errors }: PodSpecScope, at: string, action: Handler['httpGet']): void {
  if (!action?.path) errors.push(required(`${at}.path`))
  checkPortNumberOrName(errors, `${at}.port`, action?.port ?? 0)
  const scheme = action?.scheme ?? ''
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.push(unsupported(`${at}.scheme`, scheme, ['HTTP', 'HTTPS']))
  for (const { name } of action?.httpHeaders ?? []) {
    checkName(errors, `${at}.httpHeaders`, name, validateHttpHeaderName)
  }
}
