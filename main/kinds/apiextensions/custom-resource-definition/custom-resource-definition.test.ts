import { describe, expect, it } from 'vitest'
import { runKindContract } from '../../kind-contract.ts'
import { createObject, updateObject, type Manifest } from '../../testing/lifecycle.ts'
import { customResourceDefinition } from './index.ts'

const version = (schema: unknown, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  ...more,
})
const object = { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } }
const manifest = (spec: Record<string, unknown> = {}): Manifest => ({
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['w'] },
    versions: [version(object)],
    ...spec,
  },
})

runKindContract(customResourceDefinition, {
  valid: [
    manifest(),
    manifest({
      versions: [
        version(
          {
            type: 'object',
            description: 'A widget.',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
                  },
                  labels: { type: 'object', additionalProperties: { type: 'string' } },
                  any: { 'x-kubernetes-preserve-unknown-fields': true },
                },
                oneOf: [{ required: ['size'] }],
              },
              status: { type: 'object' },
            },
          },
          {
            subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
            additionalPrinterColumns: [{ name: 'Size', type: 'string', jsonPath: '.spec.size' }],
            selectableFields: [{ jsonPath: '.spec.size' }],
          },
        ),
      ],
    }),
  ],
})

describe('CustomResourceDefinition', () => {
  it('completes its names and remembers the stored version', () => {
    expect(createObject(customResourceDefinition, manifest()).object).toMatchObject({
      spec: { conversion: { strategy: 'None' }, names: { singular: 'widget', listKind: 'WidgetList' } },
      status: { storedVersions: ['v1'] },
    })
  })

  const at = 'spec.versions[0].schema.openAPIV3Schema'
  const schema = (value: unknown, more: Record<string, unknown> = {}): Manifest =>
    manifest({ versions: [version(value, more)] })
  const cases: [string, Manifest, string[]][] = [
    [
      'a wrong name',
      { ...manifest(), metadata: { name: 'x.example.com' } },
      ['metadata.name: Invalid value: "x.example.com": must be spec.names.plural+"."+spec.group'],
    ],
    [
      'no storage version',
      manifest({ versions: [{ ...version(object), storage: false }] }),
      [
        `spec.versions: Invalid value: ${JSON.stringify([{ ...version(object), storage: false }])}: must have exactly one version marked as storage version`,
      ],
    ],
    [
      'no schema',
      manifest({ versions: [{ name: 'v1', served: true, storage: true }] }),
      [`${at}: Required value: schemas are required`],
    ],
    [
      'a root that is no object',
      schema({ type: 'string' }),
      [`${at}.type: Invalid value: "string": must be object at the root`],
    ],
    [
      'a field without type',
      schema({ type: 'object', properties: { spec: {} } }),
      [`${at}.properties[spec].type: Required value: must not be empty for specified object fields`],
    ],
    [
      'a list of anything',
      schema({ type: 'object', properties: { spec: { type: 'array' } } }),
      [`${at}.properties[spec].items: Required value: must be specified`],
    ],
    [
      'a type inside anyOf',
      schema({ type: 'object', anyOf: [{ type: 'object' }] }),
      [`${at}.anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
    [
      'references',
      schema({ type: 'object', properties: { a: { type: 'object', $ref: '#/x' } } }),
      [`${at}.properties[a].$ref: Forbidden: $ref is not supported`],
    ],
    [
      'own metadata',
      schema({
        type: 'object',
        properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
      }),
      [
        `${at}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    ],
    [
      'a bad pattern',
      schema({ type: 'object', properties: { a: { type: 'string', pattern: '(' } } }),
      [
        `${at}.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
      ],
    ],
    [
      'a scale without path',
      schema(object, { subresources: { scale: { specReplicasPath: '.size', statusReplicasPath: '' } } }),
      [
        'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".size": should be a json path under .spec',
        'spec.versions[0].subresources.scale.statusReplicasPath: Required value',
      ],
    ],
    [
      'a group of Kubernetes',
      { ...manifest({ group: 'example.k8s.io' }), metadata: { name: 'widgets.example.k8s.io' } },
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
  ]
  it.each(cases)('refuses %s', (_, value, errors) => {
    expect(createObject(customResourceDefinition, value).errors).toEqual(errors)
  })

  it('keeps group, plural, and once established scope and kind', () => {
    const { object: old } = createObject(customResourceDefinition, manifest())
    old.status = { ...old.status, conditions: [{ type: 'Established', status: 'True' }] }
    const { errors } = updateObject(customResourceDefinition, old, ({ spec }) => {
      spec.scope = 'Cluster'
    })
    expect(errors).toEqual(['spec.scope: Invalid value: "Cluster": field is immutable'])
  })

  it('keeps versions that objects may be stored in', () => {
    const { object: old } = createObject(customResourceDefinition, manifest())
    const { errors } = updateObject(customResourceDefinition, old, ({ spec }) => {
      spec.versions = [{ ...(spec.versions[0] ?? { served: true, storage: true }), name: 'v2' }]
    })
    expect(errors).toEqual([
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; must be present',
    ])
  })
})
