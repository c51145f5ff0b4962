// Sets up a pod's volumes on the node, keeps projected ones current, and removes them. Calling `setUp` again is how they are refreshed;
// nothing is written when nothing changed. Secrets and tokens live in memory only (a tmpfs), everything else on the node's disk.
import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Pod, Volume } from '../../../common/api/generated/types.ts'
import { quantityToBytes } from '../../../common/machinery/quantity.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { NodeFacts } from '../pods/field-path.ts'
import { writePayload, type Payload, type ProjectedFile } from './atomic-writer.ts'
import { claimOf, type Claims } from './claims.ts'
import { prepareHostPath } from './host-path.ts'
import { configMapFiles, downwardFiles, secretFiles, VolumeError } from './projections.ts'
import type { ReferencedObjects } from './referenced-objects.ts'
import type { TokenSource } from './token-source.ts'

const run = promisify(execFile)

export interface PodVolumesOptions {
  /** On the node's disk: "/var/lib/orrery/pods". */
  diskRoot: string
  /** On a tmpfs: "/run/orrery/pods". */
  memoryRoot: string
  objects: ReferencedObjects
  claims: Claims
  tokens: TokenSource
  node: () => NodeFacts
  clock: Clock
}

export interface MountedVolumes {
  /** Host path by volume name. */
  paths: ReadonlyMap<string, string>
  /** When a token in one of them has to be renewed; undefined: never. */
  refreshAtMs: number | undefined
}

const defaultMode = 0o644

export class PodVolumes {
  readonly #options: PodVolumesOptions
  /** Digest of what was last written, by folder: spares the disk a comparison at every sync. */
  readonly #written = new Map<string, string>()
  /** Directories of claims, by pod uid and claim name. */
  readonly #claims = new Map<string, string>()

  constructor(options: PodVolumesOptions) {
    this.#options = options
  }

  podFolder(uid: string): string {
    return join(this.#options.diskRoot, uid)
  }

  /** Throws VolumeError with the text after `MountVolume.SetUp failed for volume "x" : `. */
  async setUp(pod: Pod, podIps: readonly string[]): Promise<MountedVolumes> {
    const paths = new Map<string, string>()
    let refreshAtMs: number | undefined
    for (const volume of pod.spec?.volumes ?? []) {
      try {
        const mounted = await this.#setUpOne(pod, volume, podIps)
        paths.set(volume.name, mounted.path)
        if (mounted.refreshAtMs !== undefined) refreshAtMs = Math.min(refreshAtMs ?? Infinity, mounted.refreshAtMs)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${message}`, { cause: error })
      }
    }
    return { paths, refreshAtMs }
  }

  async tearDown(uid: string): Promise<void> {
    const { diskRoot, memoryRoot, tokens } = this.#options
    tokens.forgetPod(uid)
    for (const folder of this.#written.keys())
      if (folder.startsWith(join(memoryRoot, uid)) || folder.startsWith(join(diskRoot, uid)))
        this.#written.delete(folder)
    for (const key of this.#claims.keys()) if (key.startsWith(`${uid}/`)) this.#claims.delete(key)
    const mounted = join(diskRoot, uid, 'volumes', 'memory')
    for (const name of await readdir(mounted).catch(() => []))
      // Not mounted (any more) is as good as unmounted.
      await run('umount', [join(mounted, name)]).catch(() => undefined)
    await rm(join(memoryRoot, uid), { recursive: true, force: true })
    await rm(join(diskRoot, uid), { recursive: true, force: true })
  }

  async #setUpOne(
    pod: Pod,
    volume: Volume,
    podIps: readonly string[],
  ): Promise<{ path: string; refreshAtMs?: number }> {
    const uid = pod.metadata.uid ?? ''
    if (volume.emptyDir !== undefined) return { path: await this.#emptyDir(pod, volume) }
    if (volume.hostPath !== undefined)
      return { path: await prepareHostPath(volume.hostPath.path, volume.hostPath.type ?? '') }
    const claim = claimOf(pod, volume)
    if (claim !== undefined) return { path: await this.#claimed(pod, claim) }
    const projected = await this.#payload(pod, volume, podIps)
    if (projected === undefined)
      throw new VolumeError(`this node does not support volumes of this kind: ${kindOf(volume)}`)
    const path = join(this.#options.memoryRoot, uid, volume.name)
    await this.#write(path, projected.payload, projected.uid, pod.spec?.securityContext?.fsGroup)
    return { path, ...(projected.refreshAtMs === undefined ? {} : { refreshAtMs: projected.refreshAtMs }) }
  }

  /** A claim stays bound to its volume, so one answer holds for the pod's life. */
  async #claimed(pod: Pod, claim: string): Promise<string> {
    const key = `${pod.metadata.uid ?? ''}/${claim}`
    const known = this.#claims.get(key) ?? (await this.#options.claims.directory(pod, claim))
    this.#claims.set(key, known)
    return known
  }

  async #write(path: string, payload: Payload, uid: number | undefined, gid: number | undefined): Promise<void> {
    const hash = createHash('sha256').update(`${String(uid)}:${String(gid)}`)
    for (const [name, file] of payload) hash.update(`\0${name}\0${String(file.mode)}\0`).update(file.data)
    const digest = hash.digest('hex')
    if (this.#written.get(path) === digest) return
    await mkdir(path, { recursive: true, mode: 0o755 })
    if (gid !== undefined) {
      await chown(path, 0, gid)
      await chmod(path, 0o2775)
    }
    await writePayload(path, payload, { uid, gid }, new Date(this.#options.clock.now()))
    this.#written.set(path, digest)
  }

  async #emptyDir(pod: Pod, volume: Volume): Promise<string> {
    const inMemory = volume.emptyDir?.medium === 'Memory'
    const folder = join(
      this.podFolder(pod.metadata.uid ?? ''),
      'volumes',
      inMemory ? 'memory' : 'empty-dir',
      volume.name,
    )
    const made = await mkdir(folder, { recursive: true })
    // A folder of this name without its tmpfs is what a reboot leaves behind.
    const mounts = inMemory && (await stat(folder)).dev === (await stat(join(folder, '..'))).dev
    if (made === undefined && !mounts) return folder
    if (mounts) {
      const limit = volume.emptyDir?.sizeLimit
      const size = limit === undefined ? [] : ['-o', `size=${String(quantityToBytes(limit))}`]
      await run('mount', ['-t', 'tmpfs', ...size, 'tmpfs', folder])
    }
    const group = pod.spec?.securityContext?.fsGroup
    if (group !== undefined) await chown(folder, 0, group)
    await chmod(folder, group === undefined ? 0o777 : 0o2777)
    return folder
  }

  async #payload(
    pod: Pod,
    volume: Volume,
    podIps: readonly string[],
  ): Promise<{ payload: Payload; uid?: number; refreshAtMs?: number } | undefined> {
    const { objects } = this.#options
    const namespace = pod.metadata.namespace ?? ''
    const { configMap, secret, downwardAPI, projected } = volume
    if (configMap !== undefined) {
      const name = configMap.name ?? ''
      return {
        payload: configMapFiles(name, await objects.configMap(namespace, name), {
          items: configMap.items,
          defaultMode: configMap.defaultMode ?? defaultMode,
          optional: configMap.optional ?? false,
        }),
      }
    }
    if (secret !== undefined) {
      const name = secret.secretName ?? ''
      return {
        payload: secretFiles(name, await objects.secret(namespace, name), {
          items: secret.items,
          defaultMode: secret.defaultMode ?? defaultMode,
          optional: secret.optional ?? false,
        }),
      }
    }
    const facts = { node: this.#options.node(), podIps }
    if (downwardAPI !== undefined)
      return {
        payload: downwardFiles(pod, downwardAPI.items ?? [], {
          defaultMode: downwardAPI.defaultMode ?? defaultMode,
          ...facts,
        }),
      }
    return projected === undefined ? undefined : this.#projected(pod, projected, facts)
  }

  async #projected(
    pod: Pod,
    projected: NonNullable<Volume['projected']>,
    facts: { node: NodeFacts; podIps: readonly string[] },
  ): Promise<{ payload: Payload; uid?: number; refreshAtMs?: number }> {
    const { objects, tokens } = this.#options
    const namespace = pod.metadata.namespace ?? ''
    const mode = projected.defaultMode ?? defaultMode
    const files = new Map<string, ProjectedFile>()
    let uid: number | undefined
    let refreshAtMs: number | undefined
    const add = (payload: Payload): void => {
      for (const [path, file] of payload) files.set(path, file)
    }
    for (const source of projected.sources ?? []) {
      if (source.configMap !== undefined) {
        const { name = '', items, optional = false } = source.configMap
        add(configMapFiles(name, await objects.configMap(namespace, name), { items, defaultMode: mode, optional }))
      } else if (source.secret !== undefined) {
        const { name = '', items, optional = false } = source.secret
        add(secretFiles(name, await objects.secret(namespace, name), { items, defaultMode: mode, optional }))
      } else if (source.downwardAPI !== undefined) {
        add(downwardFiles(pod, source.downwardAPI.items ?? [], { defaultMode: mode, ...facts }))
      } else if (source.serviceAccountToken !== undefined) {
        const { audience, expirationSeconds = 3600, path } = source.serviceAccountToken
        const token = await tokens.token(pod, { audience, expirationSeconds })
        const owner = tokenOwner(pod)
        uid = owner
        files.set(path, {
          data: Buffer.from(token.value, 'utf8'),
          mode: pod.spec?.securityContext?.fsGroup === undefined ? (owner === undefined ? mode : 0o600) : 0o600,
        })
        refreshAtMs = Math.min(refreshAtMs ?? Infinity, token.refreshAtMs)
      } else throw new VolumeError('this node does not support a source of this projected volume')
    }
    return {
      payload: files,
      ...(uid === undefined ? {} : { uid }),
      ...(refreshAtMs === undefined ? {} : { refreshAtMs }),
    }
  }
}

/** When all containers run as one user, tokens belong to it and to nobody else. */
function tokenOwner(pod: Pod): number | undefined {
  const users = new Set(
    [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(
      ({ securityContext }) => securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser,
    ),
  )
  const [only] = users
  return users.size === 1 ? only : undefined
}

const kindOf = (volume: Volume): string => Object.keys(volume).find((key) => key !== 'name') ?? 'none'
