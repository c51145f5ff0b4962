import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Facts } from '../../api/facts.ts'
import type { JsonObject } from '../json.ts'
import { FieldManager } from './field-manager.ts'

const { definitions } = JSON.parse(
  readFileSync(new URL('../../api/generated/facts.json', import.meta.url), 'utf8'),
) as unknown as Facts
const fieldManager = new FieldManager(definitions)
const about = { definition: 'io.k8s.api.core.v1.ConfigMap', apiVersion: 'v1', now: '2026-01-01T00:00:00Z' }
const annotation = 'kubectl.kubernetes.io/last-applied-configuration'

const configMap = (color: string, annotations?: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...(annotations === undefined ? {} : { annotations }) },
  data: { color },
})

/** As `kubectl apply` leaves it: `annotated` is what the annotation says, `color` what is stored. */
function clientSideApplied(color: string, annotated: unknown = configMap(color)): JsonObject {
  const text = typeof annotated === 'string' ? annotated : JSON.stringify(annotated)
  const live = configMap(color, { [annotation]: text })
  const managedFields = fieldManager.trackUpdate({
    ...about,
    manager: 'kubectl-client-side-apply',
    live: undefined,
    updated: live,
  })
  return { ...live, metadata: { ...(live['metadata'] as JsonObject), managedFields } }
}

const apply = (live: JsonObject, color: string, manager = 'kubectl'): JsonObject =>
  fieldManager.apply({ ...about, manager, live, config: configMap(color), force: false })

describe('server-side apply after client-side apply', () => {
  it('takes over what the annotation says, and keeps the annotation up to date', () => {
    const result = apply(clientSideApplied('red'), 'blue')
    expect(result).toMatchObject({
      data: { color: 'blue' },
      metadata: {
        annotations: {
          [annotation]: '{"apiVersion":"v1","data":{"color":"blue"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
        },
      },
    })
    expect(apply(result, 'blue')).toBe(result)
  })

  it('conflicts under another name, and leaves the annotation alone', () => {
    const live = clientSideApplied('red')
    expect(() => apply(live, 'blue', 'someone')).toThrow(
      'conflict with "kubectl-client-side-apply" using v1: .data.color',
    )
    expect(apply(live, 'red', 'someone')['metadata']).toMatchObject({
      annotations: { [annotation]: JSON.stringify(configMap('red')) },
    })
  })

  it.each([
    ['has changed since', configMap('green')],
    ['was applied in another version', { ...configMap('red'), apiVersion: 'v2' }],
    ['nobody can read', '{'],
    ['is nested beyond all measure', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('conflicts over what %s', (_, annotated) => {
    expect(() => apply(clientSideApplied('red', annotated), 'blue')).toThrow('Apply failed with 1 conflict')
  })
})
