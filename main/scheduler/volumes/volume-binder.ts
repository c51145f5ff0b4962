// Binds the claims of a pod for the node it goes to, and waits until they are bound. What was decided a moment ago is kept until the
// informers show it, so that two pods never get one volume.
import type { PersistentVolume, PersistentVolumeClaim } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { Informer } from '../../../common/client/informer.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isBound, selectedNodeAnnotation } from './claims.ts'
import type { VolumePlan } from './plan.ts'

/** Longest wait for a provisioner. */
const bindTimeoutMs = 600_000
const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller'

export class VolumeBinder {
  readonly #client: KubeClient
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #clock: Clock
  /** Volume name -> key of the claim that is getting it. */
  readonly #taken = new Map<string, string>()

  constructor(options: { client: KubeClient; claims: Informer<PersistentVolumeClaim>; clock: Clock }) {
    this.#client = options.client
    this.#claims = options.claims
    this.#clock = options.clock
  }

  readonly isTaken = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean => {
    const key = this.#taken.get(volume.metadata.name ?? '')
    return key !== undefined && key !== objectKey(claim)
  }

  /** Synchronous: from here on the volumes are taken. */
  assume(plan: VolumePlan): void {
    for (const { volume, claim } of plan.bind) this.#taken.set(volume.metadata.name ?? '', objectKey(claim))
  }

  /** Resolves when all claims are bound; rejects when that failed or took too long. Ends the assumption either way. */
  async bind(plan: VolumePlan, node: string, signal: AbortSignal): Promise<void> {
    try {
      await Promise.all([
        ...plan.bind.map(({ volume, claim }) => this.#reserve(volume, claim)),
        ...plan.provision.map((claim) => this.#select(claim, node)),
      ])
      const waiting = [...plan.bind.map(({ claim }) => claim), ...plan.provision]
      await Promise.all(waiting.map((claim) => this.#bound(objectKey(claim), node, signal)))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`running PreBind plugin "VolumeBinding": ${why}`, { cause: error })
    } finally {
      for (const { volume } of plan.bind) this.#taken.delete(volume.metadata.name ?? '')
    }
  }

  async #reserve(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const { name = '', resourceVersion } = volume.metadata
    const { namespace, name: claimName, uid, resourceVersion: claimVersion } = claim.metadata
    const claimRef = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace,
      name: claimName,
      uid,
      resourceVersion: claimVersion,
    }
    await this.#client.patch(persistentVolumes, { name }, 'application/merge-patch+json', {
      metadata: { resourceVersion, annotations: { [boundByControllerAnnotation]: 'yes' } },
      spec: { claimRef },
    })
  }

  async #select(claim: PersistentVolumeClaim, node: string): Promise<void> {
    const { name = '', namespace, uid } = claim.metadata
    await this.#client.patch(persistentVolumeClaims, { name, namespace }, 'application/merge-patch+json', {
      metadata: { uid, annotations: { [selectedNodeAnnotation]: node } },
    })
  }

  #bound(key: string, node: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let selected = false
      const end = (error?: Error): void => {
        cancel()
        unsubscribe()
        signal.removeEventListener('abort', onAbort)
        if (error === undefined) resolve()
        else reject(error)
      }
      const onAbort = (): void => {
        end(new Error('binding volumes: the pod is gone'))
      }
      const look = (claim: PersistentVolumeClaim): void => {
        if (objectKey(claim) !== key) return
        const at = claim.metadata.annotations?.[selectedNodeAnnotation]
        if (isBound(claim)) end()
        else if (at === node) selected = true
        // The provisioner gives the choice back.
        else if (selected && at === undefined)
          end(new Error(`binding volumes: provisioning failed for PVC "${claim.metadata.name ?? ''}"`))
      }
      const cancel = this.#clock.after(bindTimeoutMs, () => {
        end(new Error('binding volumes: context deadline exceeded'))
      })
      let unsubscribe = (): void => undefined
      signal.addEventListener('abort', onAbort)
      unsubscribe = this.#claims.subscribe({
        onAdd: look,
        onUpdate: look,
        onDelete: (claim) => {
          if (objectKey(claim) === key) end(new Error(`binding volumes: PVC "${claim.metadata.name ?? ''}" is gone`))
        },
      })
      // A new subscriber is shown the claim at once: it may have been bound already.
      const now = this.#claims.get(key)
      if (now !== undefined && isBound(now)) end()
    })
  }
}
