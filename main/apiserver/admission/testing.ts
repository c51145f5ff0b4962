// For tests of plugins: objects through the real server, and what it answers.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { TestServer } from '../testing/test-server.ts'

const paths: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  PriorityClass: '/apis/scheduling.k8s.io/v1/priorityclasses',
  StorageClass: '/apis/storage.k8s.io/v1/storageclasses',
  IngressClass: '/apis/networking.k8s.io/v1/ingressclasses',
  RuntimeClass: '/apis/node.k8s.io/v1/runtimeclasses',
}

export type Fields = Readonly<Record<string, unknown>>

/** Creates an object of a kind the API knows; "v1 Pod ns/name". */
export async function create<T extends KubeObject = KubeObject>(
  server: TestServer,
  what: string,
  fields: Fields = {},
  query = '',
): Promise<{ status: number; message: string; object: T; warnings: string }> {
  const [apiVersion = '', kind = '', where = ''] = what.split(' ')
  const [namespace, name] = where.includes('/') ? where.split('/') : [undefined, where]
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`
  const plural = `${kind.toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse')}s`
  const path = paths[kind] ?? `${root}/namespaces/${namespace ?? ''}/${plural}`
  const metadata = { name, ...(fields['metadata'] as object | undefined) }
  const answer = await server.call<T & { message?: string }>(`${path}${query}`, {
    body: { apiVersion, kind, ...fields, metadata },
  })
  const { warning = '' } = answer.headers
  return {
    status: answer.status,
    message: answer.body.message ?? '',
    object: answer.body,
    warnings: Array.isArray(warning) ? warning.join() : warning,
  }
}

/** A pod of one container, with the parts that matter to the test. */
export const podSpec = (container: Fields = {}, spec: Fields = {}): { spec: Fields } => ({
  spec: { containers: [{ name: 'c', image: 'busybox', ...container }], ...spec },
})

/** A namespace with its default service account, as the controller would make it. */
export async function newNamespace(server: TestServer, name: string, labels: Fields = {}): Promise<void> {
  await create(server, `v1 Namespace ${name}`, { metadata: { labels } })
  await create(server, `v1 ServiceAccount ${name}/default`)
}
