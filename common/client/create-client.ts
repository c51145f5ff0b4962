// The typed client: resource references and options in, API paths and queries out. No state of its own.
import type { KubeList, KubeObject, WatchEvent } from '../machinery/meta.ts'
import type { DeleteOptions, KubeClient, ListOptions, ResourceRef, WatchOptions, WriteOptions } from './client.ts'
import type { ApiRequest, Transport } from './transport.ts'

/** "/apis/apps/v1/namespaces/default/deployments/web/scale". Without a namespace a namespaced resource means all namespaces. */
export function resourcePath(
  ref: Pick<ResourceRef, 'group' | 'version' | 'plural' | 'namespaced'>,
  target: { namespace?: string; name?: string; subresource?: string } = {},
): string {
  const root = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`
  const scope =
    ref.namespaced && target.namespace !== undefined && target.namespace !== ''
      ? `/namespaces/${encodeURIComponent(target.namespace)}`
      : ''
  const name = target.name === undefined ? '' : `/${encodeURIComponent(target.name)}`
  const subresource = target.subresource === undefined ? '' : `/${target.subresource}`
  return `${root}${scope}/${ref.plural}${name}${subresource}`
}

export interface ClientOptions {
  /** Who the writes are attributed to when a call does not say (managedFields). */
  fieldManager?: string
}

export function createClient(transport: Transport, defaults: ClientOptions = {}): KubeClient {
  const writeQuery = (options: WriteOptions | undefined): NonNullable<ApiRequest['query']> => ({
    fieldManager: options?.fieldManager ?? defaults.fieldManager,
    dryRun: options?.dryRun === true ? 'All' : undefined,
  })
  const listQuery = (options: ListOptions): NonNullable<ApiRequest['query']> => ({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  })
  const put = <T extends KubeObject>(
    ref: ResourceRef<T>,
    object: T,
    subresource: string | undefined,
    options?: WriteOptions,
  ): Promise<T> =>
    transport.request<T>({
      method: 'PUT',
      path: resourcePath(ref, { ...nameOf(ref, object), subresource }),
      query: writeQuery(options),
      body: withType(ref, object),
      signal: options?.signal,
    })

  return {
    transport,
    get: <T extends KubeObject>(ref: ResourceRef<T>, name: string, namespace?: string): Promise<T> =>
      transport.request<T>({
        method: 'GET',
        path: resourcePath(ref, { name, namespace: requireNamespace(ref, namespace) }),
      }),
    list: async <T extends KubeObject>(ref: ResourceRef<T>, options: ListOptions = {}): Promise<KubeList<T>> => {
      const list = await transport.request<KubeList<T>>({
        method: 'GET',
        path: resourcePath(ref, { namespace: options.namespace }),
        query: listQuery(options),
        signal: options.signal,
      })
      return { ...list, items: list.items.map((item) => withType(ref, item)) }
    },
    watch: <T extends KubeObject>(ref: ResourceRef<T>, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> =>
      transport.watch<T>({
        method: 'GET',
        path: resourcePath(ref, { namespace: options.namespace }),
        query: {
          ...listQuery(options),
          watch: true,
          allowWatchBookmarks: options.allowWatchBookmarks,
          timeoutSeconds: options.timeoutSeconds,
        },
        signal: options.signal,
        onOpen: options.onOpen,
      }),
    create: <T extends KubeObject>(ref: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T> =>
      transport.request<T>({
        method: 'POST',
        path: resourcePath(ref, { namespace: requireNamespace(ref, object.metadata.namespace) }),
        query: writeQuery(options),
        body: withType(ref, object),
        signal: options?.signal,
      }),
    update: (ref, object, options) => put(ref, object, undefined, options),
    updateStatus: (ref, object, options) => put(ref, object, 'status', options),
    patch: <T extends KubeObject>(
      ref: ResourceRef<T>,
      target: { name: string; namespace?: string; subresource?: string },
      type: NonNullable<ApiRequest['patchType']>,
      patch: unknown,
      options?: WriteOptions,
    ): Promise<T> =>
      transport.request<T>({
        method: 'PATCH',
        path: resourcePath(ref, { ...target, namespace: requireNamespace(ref, target.namespace) }),
        query: writeQuery(options),
        patchType: type,
        body: patch,
        signal: options?.signal,
      }),
    delete: async (ref: ResourceRef, name: string, namespace?: string, options?: DeleteOptions): Promise<void> => {
      await transport.request({
        method: 'DELETE',
        path: resourcePath(ref, { name, namespace: requireNamespace(ref, namespace) }),
        ...(options === undefined ? {} : { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } }),
      })
    },
    createSubresource: <R>(
      ref: ResourceRef,
      target: { name: string; namespace?: string; subresource: string },
      body: unknown,
    ): Promise<R> =>
      transport.request<R>({
        method: 'POST',
        path: resourcePath(ref, { ...target, namespace: requireNamespace(ref, target.namespace) }),
        query: writeQuery(undefined),
        body,
      }),
  }
}

function nameOf(ref: ResourceRef, object: KubeObject): { name: string; namespace?: string } {
  const { name, namespace } = object.metadata
  if (name === undefined || name === '') throw new TypeError(`${ref.kind} to write has no metadata.name`)
  return { name, namespace: requireNamespace(ref, namespace) }
}

function requireNamespace(ref: ResourceRef, namespace: string | undefined): string | undefined {
  if (!ref.namespaced) return undefined
  if (namespace === undefined || namespace === '') throw new TypeError(`${ref.plural} need a namespace`)
  return namespace
}

/** Items of lists come without apiVersion and kind. */
function withType<T extends KubeObject>(ref: ResourceRef<T>, object: T): T {
  const partial: Partial<KubeObject> = object
  if (partial.apiVersion !== undefined && partial.kind !== undefined) return object
  return { ...object, apiVersion: ref.group === '' ? ref.version : `${ref.group}/${ref.version}`, kind: ref.kind }
}
