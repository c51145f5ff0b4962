// kube-system/extension-apiserver-authentication: whom extension API servers may believe (client certificates, and this server as the
// front proxy that names users in headers).
import type { ConfigMap } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { configMaps } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { RequestHeaderOptions } from '../auth/request-header-options.ts'

export async function publishAuthentication(
  client: KubeClient,
  options: { readonly clientCa: string; readonly requestHeader: RequestHeaderOptions | undefined },
): Promise<void> {
  const { clientCa, requestHeader } = options
  const data: Record<string, string> = { 'client-ca-file': clientCa }
  if (requestHeader !== undefined) {
    data['requestheader-client-ca-file'] = requestHeader.clientCa
    data['requestheader-allowed-names'] = JSON.stringify(requestHeader.allowedNames)
    data['requestheader-username-headers'] = JSON.stringify(requestHeader.usernameHeaders)
    if (requestHeader.uidHeaders !== undefined)
      data['requestheader-uid-headers'] = JSON.stringify(requestHeader.uidHeaders)
    data['requestheader-group-headers'] = JSON.stringify(requestHeader.groupHeaders)
    data['requestheader-extra-headers-prefix'] = JSON.stringify(requestHeader.extraHeaderPrefixes)
  }
  const [namespace, name] = ['kube-system', 'extension-apiserver-authentication']
  const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
  try {
    await client.create(configMaps, object)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
    const old = await client.get(configMaps, name, namespace)
    const changed = { ...old, data: { ...old.data, ...data } }
    if (JSON.stringify(changed.data) !== JSON.stringify(old.data)) await client.update(configMaps, changed)
  }
}
