// Every pod runs as a service account; its token, the cluster's CA and the namespace are mounted where clients look for them.
import { randomSuffix } from '../../../common/machinery/random-name.ts'
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '../../../common/api/generated/types.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import { type AdmissionPlugin, concernsCore } from './admission.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
/** A bit over an hour: agents renew after most of it has passed. */
const tokenSeconds = 3607

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  concerns: concernsCore('pods'),
  mutate({ operation, resourceName, subresource, object, name, namespace, registry }) {
    if (operation !== 'CREATE' || resourceName.group !== '' || resourceName.resource !== 'pods' || subresource !== '')
      return false
    const { spec, metadata } = object as Pod
    if (spec === undefined || metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) return false
    if ((spec.serviceAccountName ?? '') === '') spec.serviceAccountName = 'default'
    const { serviceAccountName: accountName = '' } = spec
    // The deprecated twin of the field is kept the same, as clients read either.
    spec.serviceAccount = accountName
    const found = lookup(registry, '', 'serviceaccounts', namespace, accountName)
    if (found === undefined)
      throw forbidden(
        resourceName,
        name,
        `error looking up service account ${namespace}/${accountName}: serviceaccount ${JSON.stringify(accountName)} not found`,
      )
    const account = found.object as ServiceAccount
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec)
    if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined)
      spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }))
    return true
  },
}

function mountToken(spec: PodSpec): void {
  const existing = (spec.volumes ?? []).find(({ name }) => name.startsWith(volumePrefix))
  const volume = existing ?? tokenVolume(`${volumePrefix}${randomSuffix()}`)
  let used = false
  const mount = (container: Container): void => {
    if ((container.volumeMounts ?? []).some((other) => other.mountPath === mountPath)) return
    container.volumeMounts = [...(container.volumeMounts ?? []), { name: volume.name, readOnly: true, mountPath }]
    used = true
  }
  for (const container of spec.initContainers ?? []) mount(container)
  for (const container of spec.containers) mount(container)
  if (used && existing === undefined) spec.volumes = [...(spec.volumes ?? []), volume]
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  }
}
