// From a pod's claim to the directory on this node that holds its data: the volume the claim is bound to must be one that a node can
// reach by itself, a hostPath or a local volume.
import type { PersistentVolume, Pod, Volume } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../../common/client/resources.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import { prepareHostPath } from './host-path.ts'
import { isLocalPath, prepareLocalPath } from './local-path.ts'
import { VolumeError } from './projections.ts'

export class Claims {
  readonly #client: KubeClient

  constructor(client: KubeClient) {
    this.#client = client
  }

  /** The directory; throws VolumeError while the claim is not bound or its volume is of another kind. */
  async directory(pod: Pod, claimName: string): Promise<string> {
    const namespace = pod.metadata.namespace ?? ''
    const claim = await found(this.#client.get(persistentVolumeClaims, claimName, namespace), `persistentvolumeclaim "${claimName}" not found`) // prettier-ignore
    const volumeName = claim.spec?.volumeName ?? ''
    if (claim.status?.phase !== 'Bound' || volumeName === '')
      throw new VolumeError(`PVC ${namespace}/${claimName} is not bound`)
    const volume = await found(this.#client.get(persistentVolumes, volumeName), `persistentvolume "${volumeName}" not found`) // prettier-ignore
    if (volume.spec?.claimRef?.uid !== claim.metadata.uid)
      throw new VolumeError(`PV ${volumeName} is bound to a claim other than ${namespace}/${claimName}`)
    return directoryOf(volume)
  }
}

async function directoryOf(volume: PersistentVolume): Promise<string> {
  const { metadata, spec } = volume
  if (isLocalPath(volume) && spec?.hostPath !== undefined) return prepareLocalPath(spec.hostPath.path)
  if (spec?.hostPath !== undefined) return prepareHostPath(spec.hostPath.path, spec.hostPath.type ?? '')
  if (spec?.local !== undefined) return prepareHostPath(spec.local.path, 'Directory')
  throw new VolumeError(`PV ${metadata.name ?? ''} is of a kind this node does not support`)
}

/** The claim a volume stands for; a generic ephemeral volume has one named after pod and volume. */
export function claimOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim !== undefined) return volume.persistentVolumeClaim.claimName
  return volume.ephemeral === undefined ? undefined : `${pod.metadata.name ?? ''}-${volume.name}`
}

async function found<T>(request: Promise<T>, otherwise: string): Promise<T> {
  try {
    return await request
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) throw new VolumeError(otherwise, { cause: error })
    throw error
  }
}
