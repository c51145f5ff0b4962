// What is read of the server and its process when /metrics is asked.
import { readdirSync } from 'node:fs'
import { versionInfo } from './discovery/version.ts'
import type { Health } from './health.ts'
import { label, type Gauge, type Sample } from './metrics.ts'
import { listPrefix } from './registry/served-resource.ts'
import type { ResourceTable } from './registry/resource-table.ts'
import type { Store } from '../store/store.ts'

export function serverGauges(parts: {
  readonly store: Store
  readonly resources: ResourceTable
  readonly health: Health
}): Gauge[] {
  const { store, resources, health } = parts
  return [
    {
      name: 'apiserver_storage_objects',
      help: 'Stored objects, by resource.',
      read: () =>
        storedObjects(
          store,
          resources,
          ({ group, plural }) => `resource="${label(group === '' ? plural : `${plural}.${group}`)}"`,
        ),
    },
    {
      name: 'apiserver_resource_objects',
      help: 'Stored objects, by group and resource.',
      read: () => storedObjects(store, resources, ({ group, plural }) => `group="${group}",resource="${plural}"`),
    },
    { name: 'apiserver_storage_revision', help: 'Newest revision of the store.', read: () => store.revision },
    {
      name: 'kubernetes_healthcheck',
      help: 'Checks of /healthz, /livez and /readyz: 1 is healthy.',
      read: () =>
        health.results().map(({ name, type, problem }) => ({
          labels: `name="${label(name)}",type="${type}"`,
          value: problem === undefined ? 1 : 0,
        })),
    },
    {
      name: 'kubernetes_build_info',
      help: 'What this server is.',
      read: () => [{ labels: buildLabels, value: 1 }],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of the engine.',
      read: () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e6
      },
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of the engine.',
      read: () => process.memoryUsage.rss(),
    },
    { name: 'process_start_time_seconds', help: 'Start of the engine, since 1970.', read: () => startedAt },
    { name: 'process_open_fds', help: 'Open file descriptors of the engine.', read: openFiles },
    { name: 'nodejs_heap_size_used_bytes', help: 'Heap in use.', read: () => process.memoryUsage().heapUsed },
  ]
}

const startedAt = Math.round(Date.now() / 1000 - process.uptime())

const buildLabels = (
  [
    'major',
    'minor',
    'gitVersion',
    'gitCommit',
    'gitTreeState',
    'buildDate',
    'goVersion',
    'compiler',
    'platform',
  ] as const
)
  .map(
    (name) =>
      `${name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)}="${label(String(versionInfo[name]))}"`,
  )
  .join(',')

function storedObjects(
  store: Store,
  resources: ResourceTable,
  labelsOf: (kind: { readonly group: string; readonly plural: string }) => string,
): Sample[] {
  const counted = new Map<string, Sample>()
  for (const resource of resources.all()) {
    const { kind, prefix } = resource
    if (!resource.verbs.has('watch') || counted.has(prefix)) continue
    const { entries, remaining } = store.range({ prefix: listPrefix(resource, ''), limit: 1 })
    counted.set(prefix, { labels: labelsOf(kind), value: entries.length + remaining })
  }
  return [...counted.values()]
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
