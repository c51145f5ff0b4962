// Discovery documents, legacy and aggregated, derived from the table of served resources. Built once per change of that table.
import { createHash } from 'node:crypto'
import { formatApiVersion } from '../../../common/machinery/meta.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { ExtensionVersion } from '../aggregation/extension-version.ts'
import { groupPriority } from './group-priority.ts'
import { compareVersions } from './version-order.ts'

export interface SubresourceInfo {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

export interface DiscoveryOptions {
  readonly resources: ResourceTable
  /** All subresources of a resource, in any order. */
  readonly subresourcesOf: (resource: ServedResource) => readonly SubresourceInfo[]
  /** Versions that extension API servers answer for; `generation` rises when they change. */
  readonly extensions?: { readonly generation: number; versions(): readonly ExtensionVersion[] }
}

interface VersionEntry {
  readonly version: string
  readonly resources: readonly ServedResource[]
  readonly extension?: ExtensionVersion
}

interface GroupEntry {
  readonly group: string
  /** Preferred version first. */
  readonly versions: readonly VersionEntry[]
}

export class Discovery {
  readonly #options: DiscoveryOptions
  #generation = 0
  #extensionGeneration = 0
  #groups: readonly GroupEntry[] = []
  readonly #aggregated = new Map<string, { text: string; etag: string }>()

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  groups(): readonly GroupEntry[] {
    const { resources } = this.#options
    if (this.#generation !== resources.generation) {
      this.#generation = resources.generation
      this.#groups = collectGroups(resources.all())
      this.#aggregated.clear()
    }
    return this.#groups
  }

  #withExtensions(): readonly GroupEntry[] {
    const { extensions } = this.#options
    const own = this.groups()
    const versions = extensions?.versions() ?? []
    if (extensions !== undefined && this.#extensionGeneration !== extensions.generation) {
      this.#extensionGeneration = extensions.generation
      this.#aggregated.clear()
    }
    return versions.length === 0 ? own : mergeExtensions(own, versions)
  }

  coreVersions(serverAddress: string): object {
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }
  }

  groupList(): object {
    const groups = this.#withExtensions()
      .filter(({ group }) => group !== '')
      .map(apiGroup)
    return { kind: 'APIGroupList', apiVersion: 'v1', groups }
  }

  group(name: string): object | undefined {
    const entry = this.#withExtensions().find(({ group }) => group === name && group !== '')
    return entry === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(entry) }
  }

  resourceList(group: string, version: string): object | undefined {
    const resources = this.groups()
      .find((entry) => entry.group === group)
      ?.versions.find((entry) => entry.version === version)?.resources
    if (resources === undefined) return undefined
    return {
      kind: 'APIResourceList',
      ...(group === '' ? {} : { apiVersion: 'v1' }),
      groupVersion: formatApiVersion(group, version),
      resources: resources.flatMap((resource) => this.#legacyResources(resource)),
    }
  }

  /** `core`: the document of /api, else of /apis. */
  aggregated(core: boolean, version: string): { text: string; etag: string } {
    const groups = this.#withExtensions().filter(({ group }) => (group === '') === core)
    const key = `${String(core)}/${version}`
    let document = this.#aggregated.get(key)
    if (document === undefined) {
      const text = JSON.stringify({
        kind: 'APIGroupDiscoveryList',
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: groups.map((entry) => ({
          metadata: entry.group === '' ? {} : { name: entry.group },
          versions: entry.versions.map(({ version: name, resources, extension }) => ({
            version: name,
            freshness: extension === undefined || extension.available ? 'Current' : 'Stale',
            resources:
              extension === undefined
                ? resources.map((resource) => this.#aggregatedResource(resource))
                : extensionResources(extension),
          })),
        })),
      })
      document = { text, etag: `"${createHash('sha256').update(text).digest('hex').toUpperCase()}"` }
      this.#aggregated.set(key, document)
    }
    return document
  }

  #legacyResources(resource: ServedResource): object[] {
    const { kind } = resource
    const scope = { namespaced: resource.namespaced }
    const main = {
      name: kind.plural,
      singularName: kind.singular,
      ...scope,
      kind: kind.kind,
      verbs: [...resource.verbs].sort(),
      ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
      ...(kind.categories === undefined ? {} : { categories: kind.categories }),
      ...(resource.verbs.has('watch') ? { storageVersionHash: this.#storageVersionHash(resource) } : {}),
    }
    const subresources = this.#sorted(resource).map(({ name, group, version, kind: subKind, verbs }) => ({
      name: `${kind.plural}/${name}`,
      singularName: '',
      ...scope,
      ...(group === kind.group && version === kind.version ? {} : { group, version }),
      kind: subKind,
      verbs: [...verbs].sort(),
    }))
    return [main, ...subresources]
  }

  #aggregatedResource(resource: ServedResource): object {
    const { kind } = resource
    const subresources = this.#sorted(resource)
    return {
      resource: kind.plural,
      responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: kind.singular,
      verbs: [...resource.verbs].sort(),
      ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
      ...(kind.categories === undefined ? {} : { categories: kind.categories }),
      ...(subresources.length === 0
        ? {}
        : {
            subresources: subresources.map(({ name, group, version, kind: subKind, verbs }) => ({
              subresource: name,
              responseKind: { group, version, kind: subKind },
              verbs: [...verbs].sort(),
            })),
          }),
    }
  }

  /** The same for as long as objects are stored the same way: clients that migrate storage compare it. Upstream's form. */
  #storageVersionHash(resource: ServedResource): string {
    const { storedAs } = resource.kind
    const stored =
      storedAs === undefined
        ? resource
        : (this.#options.resources.findAnyVersion(storedAs.group, storedAs.plural) ?? resource)
    const { storedApiVersion, kind } = stored
    const groupVersion = storedApiVersion.includes('/') ? storedApiVersion : `/${storedApiVersion}`
    return createHash('sha256').update(`${groupVersion}/${kind.kind}`).digest().subarray(0, 8).toString('base64')
  }

  #sorted(resource: ServedResource): SubresourceInfo[] {
    return [...this.#options.subresourcesOf(resource)].sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

/** Versions of this server itself are all as good as each other: their names decide. */
const versionPriority = ({ extension }: VersionEntry): number => extension?.spec.versionPriority ?? 0

/** An extension answers instead of this server where both could. */
function mergeExtensions(own: readonly GroupEntry[], extensions: readonly ExtensionVersion[]): GroupEntry[] {
  const groups = new Map(own.map((entry) => [entry.group, [...entry.versions]]))
  for (const extension of extensions) {
    const { group, version } = extension
    const others = (groups.get(group) ?? []).filter((entry) => entry.version !== version)
    groups.set(group, [...others, { version, resources: [], extension }])
  }
  const priorityOf = ({ group, versions }: GroupEntry): number =>
    Math.max(...versions.map(({ extension }) => extension?.spec.groupPriorityMinimum ?? groupPriority(group)))
  return [...groups]
    .map(([group, versions]) => ({
      group,
      versions: versions.sort(
        (a, b) => versionPriority(b) - versionPriority(a) || compareVersions(a.version, b.version),
      ),
    }))
    .sort((a, b) => priorityOf(b) - priorityOf(a) || (a.group < b.group ? -1 : 1))
}

function extensionResources({ group, version, resources }: ExtensionVersion): object[] {
  const kindOf = (resource: ExtensionVersion['resources'][number]): object => ({
    group: resource.group ?? group,
    version: resource.version ?? version,
    kind: resource.kind,
  })
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const subresources = resources.filter(({ name }) => name.startsWith(`${resource.name}/`))
      const { name, namespaced, singularName, verbs, shortNames, categories } = resource
      return {
        resource: name,
        responseKind: kindOf(resource),
        scope: namespaced ? 'Namespaced' : 'Cluster',
        singularResource: singularName,
        verbs,
        ...(shortNames === undefined ? {} : { shortNames }),
        ...(categories === undefined ? {} : { categories }),
        ...(subresources.length === 0
          ? {}
          : {
              subresources: subresources.map((sub) => ({
                subresource: sub.name.slice(name.length + 1),
                responseKind: kindOf(sub),
                verbs: sub.verbs,
              })),
            }),
      }
    })
}

function collectGroups(resources: readonly ServedResource[]): GroupEntry[] {
  const groups = new Map<string, Map<string, ServedResource[]>>()
  for (const resource of resources) {
    const { group, version } = resource.kind
    const versions = groups.get(group) ?? new Map<string, ServedResource[]>()
    groups.set(group, versions)
    const list = versions.get(version) ?? []
    versions.set(version, list)
    list.push(resource)
  }
  return [...groups]
    .sort(([a], [b]) => groupPriority(b) - groupPriority(a) || (a < b ? -1 : 1))
    .map(([group, versions]) => ({
      group,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, list]) => ({
          version,
          resources: list.sort((a, b) => (a.kind.plural < b.kind.plural ? -1 : 1)),
        })),
    }))
}

function apiGroup({ group, versions }: GroupEntry): object {
  const all = versions.map(({ version }) => ({ groupVersion: formatApiVersion(group, version), version }))
  return { name: group, versions: all, preferredVersion: all[0] }
}
