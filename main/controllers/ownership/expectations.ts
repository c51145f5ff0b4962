// What a controller wrote and its cache has not shown yet. Acting again before that would create or delete twice.
// Creations are settled when the cache has reached the resource version of the write (versions of one server grow), deletions when
// the cache shows the object gone or going. Nothing waits for ever: what a broken watch hides is forgotten after a while.
import type { Clock } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import type { IndexedInformer } from '../../../common/client/create-informer.ts'

const forgetAfterMs = 300_000

interface Expected {
  at: number
  created: Map<string, number>
  deleted: Map<string, string | undefined>
}

export class Expectations<T extends KubeObject> {
  readonly #informer: IndexedInformer<T>
  readonly #clock: Clock
  readonly #expected = new Map<string, Expected>()

  constructor(informer: IndexedInformer<T>, clock: Clock) {
    this.#informer = informer
    this.#clock = clock
  }

  created(ownerKey: string, object: T): void {
    this.#of(ownerKey).created.set(objectKey(object), Number(object.metadata.resourceVersion ?? 0))
  }

  deleted(ownerKey: string, object: T): void {
    this.#of(ownerKey).deleted.set(objectKey(object), object.metadata.uid)
  }

  /** False while the cache lags behind what this controller did for the owner. */
  satisfied(ownerKey: string): boolean {
    const expected = this.#expected.get(ownerKey)
    if (expected === undefined) return true
    if (this.#clock.now() - expected.at > forgetAfterMs) {
      this.#expected.delete(ownerKey)
      return true
    }
    const reached = Number(this.#informer.resourceVersion ?? 0)
    for (const [key, version] of expected.created) {
      if (reached >= version || this.#informer.get(key) !== undefined) expected.created.delete(key)
    }
    for (const [key, uid] of expected.deleted) {
      const current = this.#informer.get(key)
      if (current === undefined || current.metadata.uid !== uid || current.metadata.deletionTimestamp !== undefined)
        expected.deleted.delete(key)
    }
    if (expected.created.size > 0 || expected.deleted.size > 0) return false
    this.#expected.delete(ownerKey)
    return true
  }

  forget(ownerKey: string): void {
    this.#expected.delete(ownerKey)
  }

  #of(ownerKey: string): Expected {
    let expected = this.#expected.get(ownerKey)
    if (expected === undefined) {
      expected = { at: 0, created: new Map(), deleted: new Map() }
      this.#expected.set(ownerKey, expected)
    }
    expected.at = this.#clock.now()
    return expected
  }
}
