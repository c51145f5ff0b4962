// The files that a ConfigMap, a Secret or the downward API puts into a volume. Pure.
import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret } from '../../../common/api/generated/types.ts'
import { podField, resourceField, type NodeFacts } from '../pods/field-path.ts'
import type { Payload, ProjectedFile } from './atomic-writer.ts'

/** A volume that cannot be set up yet; message as the kubelet's FailedMount event ends. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError'
}

export interface ProjectionOptions {
  items?: readonly KeyToPath[]
  defaultMode: number
  optional: boolean
}

export function configMapFiles(name: string, configMap: ConfigMap | undefined, options: ProjectionOptions): Payload {
  if (configMap === undefined) {
    if (options.optional) return new Map()
    throw new VolumeError(`configmap "${name}" not found`)
  }
  const data = new Map<string, Buffer>()
  for (const [key, text] of Object.entries(configMap.data ?? {})) data.set(key, Buffer.from(text, 'utf8'))
  for (const [key, base64] of Object.entries(configMap.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'))
  return select(data, options)
}

export function secretFiles(name: string, secret: Secret | undefined, options: ProjectionOptions): Payload {
  if (secret === undefined) {
    if (options.optional) return new Map()
    throw new VolumeError(`secret "${name}" not found`)
  }
  const data = new Map(Object.entries(secret.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]))
  return select(data, options)
}

function select(data: ReadonlyMap<string, Buffer>, { items, defaultMode, optional }: ProjectionOptions): Payload {
  const files = new Map<string, ProjectedFile>()
  if (items === undefined || items.length === 0) {
    for (const [key, content] of data) files.set(key, { data: content, mode: defaultMode })
    return files
  }
  for (const { key, path, mode } of items) {
    const content = data.get(key)
    if (content !== undefined) files.set(path, { data: content, mode: mode ?? defaultMode })
    else if (!optional) throw new VolumeError(`references non-existent config key: ${key}`)
  }
  return files
}

export function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  options: { defaultMode: number; node: NodeFacts; podIps: readonly string[] },
): Payload {
  const files = new Map<string, ProjectedFile>()
  for (const item of items) {
    let text = ''
    if (item.fieldRef !== undefined) text = podField(pod, item.fieldRef, options)
    else if (item.resourceFieldRef !== undefined) {
      const { containerName } = item.resourceFieldRef
      text = resourceField(pod, { name: containerName ?? '' }, item.resourceFieldRef, options.node)
    }
    files.set(item.path, { data: Buffer.from(text, 'utf8'), mode: item.mode ?? options.defaultMode })
  }
  return files
}
