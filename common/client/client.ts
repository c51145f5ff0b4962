// The typed client every face and controller uses over a Transport.
import type { KubeList, KubeObject, WatchEvent } from '../machinery/meta.ts'
import type { PatchType, Transport } from './transport.ts'

/** Names a resource and ties its type: `const pods: ResourceRef<Pod> = {group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true}`. */
export interface ResourceRef<T extends KubeObject = KubeObject> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Phantom: carries the object type. */
  readonly type?: T
}

export interface ListOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  limit?: number
  continue?: string
  resourceVersion?: string
  signal?: AbortSignal
}
export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  allowWatchBookmarks?: boolean
  timeoutSeconds?: number
  /** Called once when the server has accepted the watch, before any event. */
  onOpen?: () => void
}
export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  preconditions?: { uid?: string; resourceVersion?: string }
}
export interface WriteOptions {
  dryRun?: boolean
  fieldManager?: string
  signal?: AbortSignal
}

/** `namespace` is required for namespaced resources except in list/watch (all namespaces). */
export interface KubeClient {
  readonly transport: Transport
  get<T extends KubeObject>(ref: ResourceRef<T>, name: string, namespace?: string): Promise<T>
  list<T extends KubeObject>(ref: ResourceRef<T>, options?: ListOptions): Promise<KubeList<T>>
  watch<T extends KubeObject>(ref: ResourceRef<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>
  create<T extends KubeObject>(ref: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  update<T extends KubeObject>(ref: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  updateStatus<T extends KubeObject>(ref: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject>(
    ref: ResourceRef<T>,
    target: { name: string; namespace?: string; subresource?: string },
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<T>
  delete(ref: ResourceRef, name: string, namespace?: string, options?: DeleteOptions): Promise<void>
  /** POST to a subresource (binding, eviction, token, …). */
  createSubresource<R>(
    ref: ResourceRef,
    target: { name: string; namespace?: string; subresource: string },
    body: unknown,
  ): Promise<R>
}
