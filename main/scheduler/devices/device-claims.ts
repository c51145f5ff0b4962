// The claims, devices and classes as the scheduler sees them: what the informers show, and what it has just given away itself.
import type {
  ResourceV1DeviceClass,
  ResourceV1ResourceClaim,
  ResourceV1ResourceSlice,
} from '../../../common/api/generated/types.ts'
import type { Informer } from '../../../common/client/informer.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import type { Pool } from './pools.ts'
import { gatherPools } from './pools.ts'
import type { DeviceUsage } from './usage.ts'
import { usageOf } from './usage.ts'

export class DeviceClaims {
  readonly #claims: Informer<ResourceV1ResourceClaim>
  readonly #slices: Informer<ResourceV1ResourceSlice>
  readonly #classes: Informer<ResourceV1DeviceClass>
  /** Claims with allocations of this scheduler's that the informer does not show yet, by key. */
  readonly #assumed = new Map<string, ResourceV1ResourceClaim>()
  /** Keys of those that are still to be written. */
  readonly #pending = new Set<string>()
  #pools: Pool[] | undefined
  readonly #unsubscribe: (() => void)[]

  constructor(options: {
    claims: Informer<ResourceV1ResourceClaim>
    slices: Informer<ResourceV1ResourceSlice>
    classes: Informer<ResourceV1DeviceClass>
  }) {
    this.#claims = options.claims
    this.#slices = options.slices
    this.#classes = options.classes
    const forgetPools = (): void => {
      this.#pools = undefined
    }
    const settle = (claim: ResourceV1ResourceClaim): void => {
      const key = objectKey(claim)
      const assumed = this.#assumed.get(key)
      if (assumed === undefined || this.#pending.has(key)) return
      if (claim.status?.allocation !== undefined || claim.metadata.uid !== assumed.metadata.uid)
        this.#assumed.delete(key)
    }
    this.#unsubscribe = [
      this.#slices.subscribe({ onAdd: forgetPools, onUpdate: forgetPools, onDelete: forgetPools }),
      this.#claims.subscribe({
        onAdd: settle,
        onUpdate: settle,
        onDelete: (claim) => this.#assumed.delete(objectKey(claim)),
      }),
    ]
  }

  /** `look` is shown the claim whenever it changes; returns how to end that. */
  watch(key: string, look: (claim: ResourceV1ResourceClaim) => void): () => void {
    const onChange = (claim: ResourceV1ResourceClaim): void => {
      if (objectKey(claim) === key) look(claim)
    }
    return this.#claims.subscribe({ onAdd: onChange, onUpdate: onChange })
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  get(key: string): ResourceV1ResourceClaim | undefined {
    return this.#assumed.get(key) ?? this.#claims.get(key)
  }

  classOf(name: string): ResourceV1DeviceClass | undefined {
    return this.#classes.get(name)
  }

  isPending(key: string): boolean {
    return this.#pending.has(key)
  }

  get pools(): readonly Pool[] {
    this.#pools ??= gatherPools(this.#slices.list())
    return this.#pools
  }

  usage(): DeviceUsage {
    const others = this.#claims.list().filter((claim) => !this.#assumed.has(objectKey(claim)))
    return usageOf([...others, ...this.#assumed.values()])
  }

  /** From here on the devices are given away. */
  assume(claim: ResourceV1ResourceClaim): void {
    const key = objectKey(claim)
    this.#assumed.set(key, claim)
    this.#pending.add(key)
  }

  /** The allocation is written. */
  confirm(written: ResourceV1ResourceClaim): void {
    const key = objectKey(written)
    this.#pending.delete(key)
    if (this.#claims.get(key)?.status?.allocation === undefined) this.#assumed.set(key, written)
    else this.#assumed.delete(key)
  }

  /** Nothing came of it. */
  forget(key: string): void {
    if (!this.#pending.delete(key)) return
    this.#assumed.delete(key)
  }
}
