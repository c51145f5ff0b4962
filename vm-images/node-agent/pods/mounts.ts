// A container's mounts: its volumes, /etc/hosts, and the file for its termination message.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import { MountPropagation } from '../../../build/generated/cri/api_pb.js'
import { resolveSubPath } from '../volumes/sub-path.ts'
import { VolumeError } from '../volumes/projections.ts'
import type { MountInit } from './container-config.ts'
import { expand } from './expansion.ts'

const propagations: Record<string, MountPropagation> = {
  None: MountPropagation.PROPAGATION_PRIVATE,
  HostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
}

export interface MountsInput {
  pod: Pod
  container: Container
  /** Host path by volume name. */
  volumes: ReadonlyMap<string, string>
  environment: ReadonlyMap<string, string>
  /** The pod's own folder on the node. */
  podFolder: string
  hostsFile: string
}

/** Writes what has to exist on the node and returns the mounts and the termination message file. */
export async function containerMounts(
  input: MountsInput,
): Promise<{ mounts: MountInit[]; terminationMessageFile: string }> {
  const { container, volumes, environment } = input
  const mounts: MountInit[] = []
  for (const mount of container.volumeMounts ?? []) {
    const volumePath = volumes.get(mount.name)
    if (volumePath === undefined)
      throw new VolumeError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
    const subPath =
      mount.subPathExpr === undefined || mount.subPathExpr === ''
        ? (mount.subPath ?? '')
        : expand(mount.subPathExpr, (name) => environment.get(name))
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: subPath === '' ? volumePath : await resolveSubPath(volumePath, subPath),
      readonly: mount.readOnly ?? false,
      propagation: propagations[mount.mountPropagation ?? 'None'] ?? MountPropagation.PROPAGATION_PRIVATE,
    })
  }
  const taken = new Set(mounts.map(({ containerPath }) => containerPath))
  if (!taken.has('/etc/hosts'))
    mounts.push({ containerPath: '/etc/hosts', hostPath: await writeHosts(input), readonly: false })
  const terminationMessageFile = await newMessageFile(input)
  mounts.push({
    containerPath: container.terminationMessagePath ?? '/dev/termination-log',
    hostPath: terminationMessageFile,
  })
  return { mounts, terminationMessageFile }
}

async function writeHosts({ podFolder, hostsFile }: MountsInput): Promise<string> {
  await mkdir(podFolder, { recursive: true })
  const path = join(podFolder, 'etc-hosts')
  await writeFile(path, hostsFile, { mode: 0o644 })
  return path
}

async function newMessageFile({ podFolder, container }: MountsInput): Promise<string> {
  const folder = join(podFolder, 'containers', container.name)
  await mkdir(folder, { recursive: true })
  const path = join(folder, randomBytes(4).toString('hex'))
  // Any user of the container may write it.
  await writeFile(path, '', { mode: 0o666 })
  return path
}
