// An operator as people write them with @kubernetes/client-node: it makes a ConfigMap for every Garden, reports in its status what it
// did, and tidies up behind a finalizer when the Garden goes.
import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node'

export interface Garden extends KubernetesObject {
  spec?: { plants?: string[] }
  status?: { planted?: number; observedGeneration?: number }
}

export const group = 'gardens.example.org'
export const plural = 'gardens'
const finalizer = `${group}/tidy-up`
const isCode = (error: unknown, code: number): boolean => error instanceof ApiException && error.code === code

export interface Operator {
  /** What it tidied up, by name. */
  readonly tidied: string[]
  readonly failures: unknown[]
  stop(): Promise<void>
}

export async function startOperator(config: KubeConfig, namespace: string, version: string): Promise<Operator> {
  const custom = config.makeApiClient(CustomObjectsApi)
  const core = config.makeApiClient(CoreV1Api)
  const tidied: string[] = []
  const failures: unknown[] = []
  let stopped = false
  const at = (name: string) => ({ group, version, namespace, plural, name })

  async function reconcile(name: string): Promise<void> {
    let garden: Garden
    try {
      garden = (await custom.getNamespacedCustomObject(at(name))) as Garden
    } catch (error) {
      if (isCode(error, 404)) return
      throw error
    }
    const { metadata = {}, spec = {}, status = {} } = garden
    if (metadata.deletionTimestamp !== undefined) {
      if (metadata.finalizers?.includes(finalizer) !== true) return
      tidied.push(name)
      await custom.replaceNamespacedCustomObject({
        ...at(name),
        body: {
          ...garden,
          metadata: { ...metadata, finalizers: metadata.finalizers.filter((each) => each !== finalizer) },
        },
      })
      return
    }
    if (metadata.finalizers?.includes(finalizer) !== true) {
      await custom.replaceNamespacedCustomObject({
        ...at(name),
        body: { ...garden, metadata: { ...metadata, finalizers: [...(metadata.finalizers ?? []), finalizer] } },
      })
      return
    }
    const plants = spec.plants ?? []
    const body = {
      metadata: {
        name: `${name}-beds`,
        ownerReferences: [
          { apiVersion: `${group}/${version}`, kind: 'Garden', name, uid: metadata.uid ?? '', controller: true },
        ],
      },
      data: { plants: plants.join(',') },
    }
    try {
      await core.createNamespacedConfigMap({ namespace, body })
    } catch (error) {
      if (!isCode(error, 409)) throw error
      await core.replaceNamespacedConfigMap({ namespace, name: body.metadata.name, body })
    }
    if (status.planted === plants.length && status.observedGeneration === metadata.generation) return
    await custom.replaceNamespacedCustomObjectStatus({
      ...at(name),
      body: { ...garden, status: { planted: plants.length, observedGeneration: metadata.generation } },
    })
  }

  const path = `/apis/${group}/${version}/namespaces/${namespace}/${plural}`
  const informer = makeInformer<Garden>(
    config,
    path,
    async () =>
      (await custom.listNamespacedCustomObject({ group, version, namespace, plural })) as KubernetesListObject<Garden>,
  )
  // One at a time; a lost race is tried again when its event comes.
  let turn = Promise.resolve()
  const enqueue = ({ metadata }: Garden): void => {
    turn = turn.then(() =>
      reconcile(metadata?.name ?? '').catch((error: unknown) => {
        if (!isCode(error, 409) && !stopped) failures.push(error)
      }),
    )
  }
  informer.on('add', enqueue)
  informer.on('update', enqueue)
  informer.on('error', (error: unknown) => {
    if (!stopped) failures.push(error)
  })
  await informer.start()
  return {
    tidied,
    failures,
    async stop() {
      stopped = true
      await informer.stop()
      await turn
    },
  }
}
