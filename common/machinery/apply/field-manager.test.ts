import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Facts } from '../../api/facts.ts'
import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import type { JsonObject } from '../json.ts'
import { cloneJson } from '../json.ts'
import { FieldManager } from './field-manager.ts'
import type { FieldSet } from './field-set.ts'
import { printPaths } from './field-set.ts'
import { Shapes } from './shape.ts'
import { compareValues, fieldSetOf, mergeValues } from './typed-value.ts'

const { definitions } = JSON.parse(
  readFileSync(new URL('../../api/generated/facts.json', import.meta.url), 'utf8'),
) as unknown as Facts

const fieldManager = new FieldManager(definitions)
const definition = 'io.k8s.api.apps.v1.Deployment'
const apiVersion = 'apps/v1'

interface Deployment extends JsonObject {
  metadata: { name: string; managedFields?: ManagedFieldsEntry[]; labels?: Record<string, string> }
  spec: {
    replicas?: number
    template: { spec: { containers: { name: string; [field: string]: unknown }[] } }
  }
}

/** One object through its life; each step has its own time. */
class Life {
  live: Deployment | undefined
  #clock = 0

  apply(manager: string, config: JsonObject, force = false): Deployment {
    this.live = fieldManager.apply({
      definition,
      apiVersion,
      manager,
      config,
      force,
      live: this.live,
      now: this.#now(),
    }) as Deployment
    return this.live
  }

  update(manager: string, change: (object: Deployment) => void, subresource = ''): Deployment {
    const updated = cloneJson(this.live ?? config())
    change(updated)
    const managedFields = fieldManager.trackUpdate({
      definition,
      apiVersion,
      manager,
      subresource,
      live: this.live,
      updated,
      now: this.#now(),
    })
    if (managedFields === undefined) delete updated.metadata.managedFields
    else updated.metadata.managedFields = managedFields
    this.live = updated
    return updated
  }

  /** "manager operation": its paths. */
  owners(): Record<string, string[]> {
    return Object.fromEntries(
      (this.live?.metadata.managedFields ?? []).map((entry) => [
        `${entry.manager ?? ''} ${entry.operation ?? ''}`,
        printPaths(entry.fieldsV1 as FieldSet),
      ]),
    )
  }

  #now(): string {
    this.#clock += 1
    return new Date(this.#clock * 1000).toISOString().replace('.000', '')
  }
}

function config(spec: object = {}, container: object = {}): Deployment {
  return {
    apiVersion,
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 3, ...spec, template: { spec: { containers: [{ name: 'c', image: 'i:1', ...container }] } } },
  }
}

let life: Life

beforeEach(() => {
  life = new Life()
})

describe('ownership', () => {
  it('of a created object is its creator’s, without what belongs to nobody', () => {
    life.update('kubectl-create', () => undefined)
    expect(life.owners()).toEqual({
      'kubectl-create Update': [
        '.spec.replicas',
        '.spec.template.spec.containers[name="c"]',
        '.spec.template.spec.containers[name="c"].image',
        '.spec.template.spec.containers[name="c"].name',
      ],
    })
  })

  it('moves with changes, and ends with removal', () => {
    life.apply('kubectl', config({}, { args: ['a'] }))
    life.update('scaler', (object) => {
      object.spec.replicas = 7
      delete object.spec.template.spec.containers[0]?.['args']
    })
    const owners = life.owners()
    expect(owners['scaler Update']).toEqual(['.spec.replicas'])
    expect(owners['kubectl Apply']).not.toContain('.spec.replicas')
    expect(JSON.stringify(owners)).not.toContain('args')
  })

  it('is kept apart by subresource', () => {
    life.update('controller', () => undefined)
    life.update(
      'controller',
      (object) => {
        object['status'] = { replicas: 3 }
      },
      'status',
    )
    const entries = life.live?.metadata.managedFields ?? []
    expect(entries.map(({ subresource }) => subresource)).toEqual([undefined, 'status'])
  })

  it('does not change, nor its time, when nothing changes', () => {
    life.update('a', () => undefined)
    const before = life.live?.metadata.managedFields
    life.update('b', () => undefined)
    expect(life.live?.metadata.managedFields).toEqual(before)
  })

  it('is cleared by [{}] and then not tracked until the next apply', () => {
    life.update('a', () => undefined)
    life.update('a', (object) => {
      object.metadata.managedFields = [{}]
    })
    expect(life.live?.metadata.managedFields).toBeUndefined()
    life.update('b', (object) => {
      object.spec.replicas = 9
    })
    expect(life.live?.metadata.managedFields).toBeUndefined()
    expect(() => life.apply('kubectl', config({ replicas: 1 }))).toThrow(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    )
  })

  it('of too many updaters is merged into the oldest', () => {
    for (let number = 0; number < 14; number += 1) {
      life.update(`updater-${String(number)}`, (object) => {
        object.metadata.labels = { ...object.metadata.labels, [`l${String(number)}`]: 'x' }
      })
    }
    const names = (life.live?.metadata.managedFields ?? []).map(({ manager }) => manager)
    expect(names).toHaveLength(10)
    expect(names).toContain('ancient-changes')
  })
})

describe('apply', () => {
  it('conflicts with other owners of fields it would change, and says with whom', () => {
    life.apply('kubectl', config())
    life.update('scaler', (object) => {
      object.spec.replicas = 7
    })
    expect(() => life.apply('kubectl', config())).toThrow(
      'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas',
    )
    expect(() => life.apply('other', config({ replicas: 1 }, { image: 'i:2' }))).toThrow(
      [
        'Apply failed with 2 conflicts: conflicts with "kubectl":',
        '- .spec.template.spec.containers[name="c"].image',
        'conflicts with "scaler" using apps/v1:',
        '- .spec.replicas',
      ].join('\n'),
    )
  })

  it('has conflicts as causes of a 409', () => {
    life.update('scaler', () => undefined)
    try {
      life.apply('kubectl', config({ replicas: 1 }))
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        code: 409,
        status: {
          reason: 'Conflict',
          details: {
            causes: [
              {
                reason: 'FieldManagerConflict',
                message: 'conflict with "scaler" using apps/v1',
                field: '.spec.replicas',
              },
            ],
          },
        },
      })
    }
  })

  it('shares a field when both want the same value', () => {
    life.apply('a', config())
    life.apply('b', config())
    expect(life.owners()['a Apply']).toEqual(life.owners()['b Apply'])
  })

  it('takes fields by force, and their old owner loses them', () => {
    life.update('scaler', () => undefined)
    life.apply('kubectl', config({ replicas: 1 }), true)
    expect(life.live?.spec.replicas).toBe(1)
    expect(life.owners()['scaler Update']).not.toContain('.spec.replicas')
  })

  it('removes what only it owned and no longer applies', () => {
    life.apply('kubectl', config({ paused: true }, { env: [{ name: 'A', value: '1' }] }))
    const { spec } = life.apply('kubectl', config())
    expect(spec).toEqual(config().spec)
  })

  it('keeps what it no longer applies when somebody else owns it', () => {
    life.apply('a', config({ paused: true }))
    life.apply('b', config({ paused: true }))
    expect(life.apply('a', config()).spec).toMatchObject({ paused: true })
    expect(life.apply('b', config()).spec).not.toHaveProperty('paused')
  })

  it('removes a list item with it, unless others own part of the item', () => {
    const twoContainers = config()
    twoContainers.spec.template.spec.containers.push({ name: 'side', image: 's' })
    life.apply('kubectl', twoContainers)
    life.update('injector', (object) => {
      const side = object.spec.template.spec.containers[1]
      if (side !== undefined) side['imagePullPolicy'] = 'Always'
    })
    const containers = life.apply('kubectl', config()).spec.template.spec.containers
    expect(containers.map(({ name }) => name)).toContain('c')
    expect(containers.find(({ name }) => name === 'side')?.['image']).toBeUndefined()
  })

  it('keeps defaulted fields, which nobody owns', () => {
    const applied = life.apply('kubectl', config())
    life.live = cloneJson(applied)
    const [container] = life.live.spec.template.spec.containers
    if (container !== undefined) container['terminationMessagePath'] = '/dev/termination-log'
    const again = life.apply('kubectl', config({}, { image: 'i:2' }))
    expect(again.spec.template.spec.containers[0]).toEqual({
      name: 'c',
      image: 'i:2',
      terminationMessagePath: '/dev/termination-log',
    })
  })

  it('replaces atomic lists as one', () => {
    life.apply('kubectl', config({}, { args: ['a', 'b'] }))
    expect(() => life.apply('other', config({}, { args: ['a'] }))).toThrow(
      /conflict with "kubectl": \.spec\.template\.spec\.containers\[name="c"\]\.args$/,
    )
  })

  it('tells ports with the same number apart by protocol, TCP when not given', () => {
    life.apply('kubectl', config({}, { ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] }))
    expect(life.owners()['kubectl Apply']).toContain(
      '.spec.template.spec.containers[name="c"].ports[containerPort=53,protocol="TCP"].containerPort',
    )
  })

  it('refuses lists whose items cannot be told apart', () => {
    const twice = config()
    twice.spec.template.spec.containers.push({ name: 'c', image: 'other' })
    expect(() => life.apply('kubectl', twice)).toThrow(
      'failed to create typed patch object (web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="c"]',
    )
    const nameless = config({}, { name: undefined })
    delete (nameless.spec.template.spec.containers[0] as Record<string, unknown>)['name']
    expect(() => life.apply('kubectl', nameless)).toThrow(/omits key field "name"/)
  })

  it('is no write when repeated', () => {
    const first = life.apply('kubectl', config())
    expect(life.apply('kubectl', config())).toBe(first)
  })

  it('keeps the order of the config among its own items and the live order of others', () => {
    const shape = new Shapes(definitions).of('io.k8s.api.core.v1.PodSpec')
    const list = (...names: string[]): JsonObject => ({ containers: names.map((name) => ({ name })) })
    expect(mergeValues(list('a', 'b', 'c', 'd'), list('d', 'b'), shape)).toEqual(list('a', 'c', 'd', 'b'))
    expect(mergeValues(list('a', 'b'), list('z', 'b'), shape)).toEqual(list('a', 'z', 'b'))
  })
})

describe('for all values', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const podSpec = fc.record(
    {
      containers: fc.uniqueArray(
        fc.record(
          {
            name,
            image: fc.constantFrom('x', 'y'),
            args: fc.array(name, { maxLength: 2 }),
            resources: fc.constant({}),
          },
          { requiredKeys: ['name'] },
        ),
        { selector: (container) => container.name, maxLength: 3 },
      ),
      nodeSelector: fc.dictionary(name, name, { maxKeys: 2 }),
      hostNetwork: fc.boolean(),
      securityContext: fc.record({ runAsUser: fc.nat(2) }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  )
  const shape = new Shapes(definitions).of('io.k8s.api.core.v1.PodSpec')
  const minus = (a: readonly string[], b: readonly string[]): string[] => a.filter((path) => !b.includes(path))

  it('a comparison is the difference of the field sets, plus what changed', () => {
    fc.assert(
      fc.property(podSpec, podSpec, (before, after) => {
        const { added, removed, modified } = compareValues(before, after, shape)
        const old = printPaths(fieldSetOf(before, shape))
        const now = printPaths(fieldSetOf(after, shape))
        expect(printPaths(added)).toEqual(minus(now, old))
        expect(printPaths(removed)).toEqual(minus(old, now))
        for (const path of printPaths(modified)) expect(old.includes(path) && now.includes(path), path).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('applying owns exactly the config, repeats as no write, and gives all back when emptied', () => {
    fc.assert(
      fc.property(podSpec, podSpec, (live, applied) => {
        const request = { definition: 'io.k8s.api.core.v1.Pod', apiVersion: 'v1', now: '2020-01-01T00:00:00Z' }
        const stored: JsonObject = { metadata: { name: 'p' }, spec: live }
        const managedFields = fieldManager.trackUpdate({ ...request, manager: 'u', live: undefined, updated: stored })
        const start: JsonObject = { metadata: { name: 'p', ...(managedFields && { managedFields }) }, spec: live }
        const config: JsonObject = { metadata: { name: 'p' }, spec: applied }
        const result = fieldManager.apply({ ...request, manager: 'a', live: start, config, force: true })
        expect(mergeValues(result['spec'], applied, shape)).toEqual(result['spec'])
        expect(fieldManager.apply({ ...request, manager: 'a', live: result, config, force: false })).toBe(result)
        const nothing: JsonObject = { metadata: { name: 'p' } }
        const emptied = fieldManager.apply({ ...request, manager: 'a', live: result, config: nothing, force: false })
        const managers = ((emptied['metadata'] as JsonObject)['managedFields'] ?? []) as ManagedFieldsEntry[]
        expect(managers.map(({ manager }) => manager)).not.toContain('a')
      }),
      { numRuns: 500 },
    )
  })
})
