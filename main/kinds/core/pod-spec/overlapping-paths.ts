// Files of a volume that would be written over each other: "a" and "a/b", or "a" twice.
import type { Volume, VolumeProjection } from '../../../../common/api/generated/types.ts'

interface Mapping {
  readonly of: string
  readonly paths: readonly string[]
}

export const overlapWarnings = (volumes: readonly Volume[]): string[] => volumes.flatMap(warningsOf)

function warningsOf({ name, configMap, secret, downwardAPI, projected }: Volume): string[] {
  const of = (what: string): string => `volume ${JSON.stringify(name)} (${what}): overlapping paths`
  const named = (kind: string, source: string | undefined): string => of(`${kind} ${JSON.stringify(source ?? '')}`)
  const warnings: string[] = []
  if (configMap?.items !== undefined)
    warnings.push(...overlaps({ of: named('ConfigMap', configMap.name), paths: pathsOf(configMap.items) }))
  if (secret?.items !== undefined)
    warnings.push(...overlaps({ of: named('Secret', secret.secretName), paths: pathsOf(secret.items) }))
  if (downwardAPI?.items !== undefined)
    warnings.push(...overlaps({ of: of('DownwardAPI'), paths: pathsOf(downwardAPI.items) }))
  const all = new Set<string>()
  for (const source of projected?.sources ?? []) {
    if (Object.keys(source).length === 0) {
      warnings.push(`volume ${JSON.stringify(name)} (Projected) has no sources provided`)
      continue
    }
    const mapping = mappingOf(source, of, named)
    if (mapping === undefined || mapping.paths.length === 0) continue
    const own = new Set(mapping.paths)
    warnings.push(...overlaps(mapping), ...overlaps({ of: mapping.of, paths: [...own, ...all].sort() }))
    for (const path of own) all.add(path)
  }
  return warnings
}

function mappingOf(
  { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle }: VolumeProjection,
  of: (what: string) => string,
  named: (kind: string, source: string | undefined) => string,
): Mapping | undefined {
  if (configMap?.items !== undefined)
    return { of: named('Projected ConfigMap', configMap.name), paths: pathsOf(configMap.items) }
  if (secret?.items !== undefined) return { of: named('Projected Secret', secret.name), paths: pathsOf(secret.items) }
  if (downwardAPI?.items !== undefined) return { of: of('Projected DownwardAPI'), paths: pathsOf(downwardAPI.items) }
  if (serviceAccountToken !== undefined)
    return { of: of('Projected ServiceAccountToken'), paths: [serviceAccountToken.path] }
  if (clusterTrustBundle === undefined) return undefined
  const { name, signerName, path } = clusterTrustBundle
  return { of: named('Projected ClusterTrustBundle', name ?? signerName), paths: [path] }
}

const pathsOf = (items: readonly { path: string }[]): string[] => items.map(({ path }) => path)

function overlaps({ of, paths }: Mapping): string[] {
  const seen = new Set<string>()
  return paths.flatMap((given) => {
    const path = given.replace(/\/+$/, '')
    const other = path === '' ? undefined : [...seen].find((item) => collides(item, path))
    seen.add(path)
    return other === undefined ? [] : [`${of}: ${JSON.stringify(path)} with ${JSON.stringify(other)}`]
  })
}

const collides = (a: string, b: string): boolean => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
