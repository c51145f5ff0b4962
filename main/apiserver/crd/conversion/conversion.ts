// What serving asks of a conversion between stored and served versions.
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { StoredObject } from '../../registry/stored-object.ts'

export interface ServedConversion {
  /** Objects that are stored in the served version already come back as they are. */
  toServed(objects: readonly StoredObject[]): Promise<StoredObject[]>
  /** An object of any version in the served one. */
  convert(object: KubeObject): Promise<KubeObject>
  toStorage(object: KubeObject): Promise<KubeObject>
}
