// Defaults of a PodSpec wherever it stands (pods and templates). Those of pods alone are in core/pod/defaults.ts.
import type {
  Container,
  EnvVar,
  EphemeralContainer,
  PodSpec,
  PodTemplateSpec,
  Probe,
} from '../../../../common/api/generated/types.ts'
import { defaultPullPolicy } from './image-reference.ts'
import { setVolumeDefaults } from './volume-defaults.ts'

export function setPodTemplateDefaults(template: PodTemplateSpec): void {
  template.metadata ??= {}
  if (template.spec !== undefined) setPodSpecDefaults(template.spec)
}

export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.schedulerName ||= 'default-scheduler'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  setServiceAccount(spec)
  for (const container of spec.containers ?? []) setContainerDefaults(container)
  for (const container of spec.initContainers ?? []) setContainerDefaults(container)
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container)
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume)
}

/** `serviceAccount` is the deprecated name of `serviceAccountName`; both are always shown, the newer one wins. */
function setServiceAccount(spec: PodSpec): void {
  spec.serviceAccountName ||= spec.serviceAccount
  if (spec.serviceAccountName === undefined) delete spec.serviceAccountName
  else spec.serviceAccount = spec.serviceAccountName
}

function setContainerDefaults(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '')
  container.resources ??= {}
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const variable of container.env ?? []) setEnvDefaults(variable)
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) setProbeDefaults(probe)
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet !== undefined) setHttpGetDefaults(handler.httpGet)
  }
}

function setEnvDefaults({ valueFrom }: EnvVar): void {
  if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1'
  if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= '0'
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.httpGet !== undefined) setHttpGetDefaults(probe.httpGet)
  if (probe.grpc !== undefined) probe.grpc.service ??= ''
}

function setHttpGetDefaults(action: { path?: string; scheme?: string }): void {
  action.path ||= '/'
  action.scheme ||= 'HTTP'
}
