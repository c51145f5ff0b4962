// Stored objects in the version in which they are served, and back, where a webhook has to convert them.
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { StoreEntry } from '../../../store/store.ts'
import { encodeForStore, StoredObject } from '../../registry/stored-object.ts'
import type { ServedConversion } from './conversion.ts'
import type { ConversionWebhook } from './conversion-webhook.ts'

const storedVersion = /^\{"kind":"[^"]*","apiVersion":"([^"]*)"/

export function newServedConversion(
  webhook: ConversionWebhook,
  versions: { readonly served: string; readonly stored: string },
): ServedConversion {
  /** One state of an object is asked about once. */
  const known = new WeakMap<StoreEntry, StoredObject>()
  return {
    async toServed(objects) {
      const differing = objects.filter(({ entry }) => {
        const version = storedVersion.exec(entry.value)?.[1]
        return version !== versions.served && !known.has(entry)
      })
      // The program sees objects in the version in which they were written.
      for (const [version, group] of byVersion(differing)) {
        const given = group.map((stored) => ({ ...stored.copy(), apiVersion: version }))
        const converted = await webhook.convert(given, versions.served)
        group.forEach((stored, index) => {
          const object = converted[index]
          if (object !== undefined) known.set(stored.entry, asStored(object, stored))
        })
      }
      return objects.map((stored) => atRevision(known.get(stored.entry), stored) ?? stored)
    },
    async convert(object) {
      const [converted] = await webhook.convert([object], versions.served)
      return converted ?? object
    },
    async toStorage(object) {
      if (versions.served === versions.stored) return object
      const [converted] = await webhook.convert([object], versions.stored)
      return converted ?? object
    },
  }
}

/** What is gone is the same object at the revision of its end. */
const atRevision = (known: StoredObject | undefined, { revision, codec }: StoredObject): StoredObject | undefined =>
  known === undefined || known.revision === revision ? known : new StoredObject(known.entry, revision, codec)

function byVersion(objects: readonly StoredObject[]): Map<string, StoredObject[]> {
  const groups = new Map<string, StoredObject[]>()
  for (const stored of objects) {
    const version = storedVersion.exec(stored.entry.value)?.[1] ?? ''
    const group = groups.get(version)
    if (group === undefined) groups.set(version, [stored])
    else group.push(stored)
  }
  return groups
}

/** As if it had been stored in the served version. */
function asStored(object: KubeObject, { entry, revision, codec }: StoredObject): StoredObject {
  return new StoredObject({ ...entry, view: undefined, value: encodeForStore(object) }, revision, codec)
}
