// Creates and updates objects of a kind as the registry does, without the registry: for tests of kinds.
import { resources } from '../../../common/api/generated/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { KindDefinition, UpdateStrategy, WriteContext } from '../kind.ts'
import { cloneJson } from '../strategy.ts'

export const testNow = '2030-01-02T03:04:05Z'

export interface TestContextOptions {
  readonly stored?: readonly KubeObject[]
  readonly subresource?: string
  readonly serviceCIDRs?: readonly string[]
}

export function newTestContext(options: TestContextOptions = {}): WriteContext {
  const { stored = [], subresource = '', serviceCIDRs = ['10.96.0.0/16'] } = options
  return {
    now: testNow,
    user: { name: 'tester', groups: ['system:authenticated'] },
    dryRun: false,
    subresource,
    lookup: (group, plural, namespace, name) =>
      ofResource(stored, group, plural).find(
        (object) => object.metadata.name === name && (namespace ?? '') === (object.metadata.namespace ?? ''),
      ),
    lookupAll: (group, plural) => ofResource(stored, group, plural),
    cluster: {
      serviceCIDRs,
      nodePortRange: { from: 30_000, to: 32_767 },
      clusterDomain: 'cluster.local',
    },
    // Expressions are compiled by the API server; here all are right but this one.
    checkExpression: (source) => (source === 'wrong' ? 'compilation failed: wrong' : undefined),
    checkSchema: () => [],
  }
}

function ofResource(stored: readonly KubeObject[], group: string, plural: string): KubeObject[] {
  const kinds = new Set(
    Object.values(resources)
      .filter((resource) => resource.group === group && resource.plural === plural)
      .map(({ kind }) => kind),
  )
  return stored.filter(({ kind }) => kinds.has(kind))
}

export interface Written<T> {
  readonly object: T
  /** Field errors as kubectl prints them. */
  readonly errors: string[]
}

/** A manifest: what a client writes. Loose on purpose, because tests write what types forbid. */
export type Manifest = Record<string, unknown> & { metadata?: KubeObject['metadata'] }

export function createObject<T extends KubeObject>(
  kind: KindDefinition<T>,
  manifest: Manifest,
  context = newTestContext(),
): Written<T> {
  const object = {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    ...cloneJson(manifest),
    metadata: {
      name: 'test',
      ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
      ...cloneJson(manifest.metadata),
      uid: '6f1a6d1c-0000-4000-8000-000000000001',
      creationTimestamp: testNow,
    },
  } as unknown as T
  kind.prepareForCreate?.(object, context)
  kind.setDefaults?.(object, context)
  const refused = kind.allocate?.(object, undefined, context) ?? []
  const errors = refused.length > 0 ? refused : (kind.validate?.(object, context, undefined) ?? [])
  return { object, errors: errors.map(String) }
}

/** `change` edits a copy of the stored object; `door` is "" (the main one), "status" or another subresource. */
export function updateObject<T extends KubeObject>(
  kind: KindDefinition<T>,
  old: T,
  change: (object: T) => void,
  options: { door?: string; context?: WriteContext } = {},
): Written<T> {
  const { door = '', context = newTestContext({ subresource: door }) } = options
  const stored = freeze({ ...cloneJson(old), metadata: { ...cloneJson(old.metadata), resourceVersion: '7' } })
  const object = cloneJson(stored)
  change(object)
  const strategy = strategyOf(kind, door)
  strategy?.prepare?.(object, stored, context)
  kind.setDefaults?.(object, context)
  const refused = (door === '' ? kind.allocate?.(object, stored, context) : undefined) ?? []
  if (refused.length > 0) return { object, errors: refused.map(String) }
  const errors = door === 'status' ? [] : (kind.validate?.(object, context, stored) ?? [])
  return { object, errors: [...errors, ...(strategy?.validate?.(object, stored, context) ?? [])].map(String) }
}

function strategyOf<T extends KubeObject>(kind: KindDefinition<T>, door: string): UpdateStrategy<T> | undefined {
  if (door === '') return kind.update
  return door === 'status' ? kind.status : kind.subresources?.[door]?.strategy
}

export function freeze<V>(value: V): V {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part)
  }
  return value
}
