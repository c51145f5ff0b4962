import { describe, expect, it } from 'vitest'
import type { ConfigMap, Pod, Secret } from '../../../common/api/generated/types.ts'
import { configMapFiles, downwardFiles, secretFiles } from './projections.ts'

const configMap: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  data: { a: '1', b: '2' },
  binaryData: { bin: 'AP8=' },
}
const options = { defaultMode: 0o644, optional: false }
const texts = (files: ReadonlyMap<string, { data: Buffer }>): Record<string, string> =>
  Object.fromEntries([...files].map(([path, { data }]) => [path, data.toString('latin1')]))

describe('config maps', () => {
  it('become a file for each key, text and binary', () => {
    expect(texts(configMapFiles('c', configMap, options))).toEqual({ a: '1', b: '2', bin: '\x00\xff' })
  })

  it('may be chosen from, under other names and modes', () => {
    const files = configMapFiles('c', configMap, { ...options, items: [{ key: 'a', path: 'x/y', mode: 0o600 }] })
    expect(texts(files)).toEqual({ 'x/y': '1' })
    expect(files.get('x/y')?.mode).toBe(0o600)
  })

  it('that are missing, or miss a key, are an error unless optional', () => {
    expect(() => configMapFiles('c', undefined, options)).toThrow('configmap "c" not found')
    const items = [{ key: 'none', path: 'p' }]
    expect(() => configMapFiles('c', configMap, { ...options, items })).toThrow(
      'references non-existent config key: none',
    )
    expect(configMapFiles('c', undefined, { ...options, optional: true }).size).toBe(0)
    expect(configMapFiles('c', configMap, { ...options, items, optional: true }).size).toBe(0)
  })
})

it('secrets are decoded', () => {
  const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k: 'aGk=' } }
  expect(texts(secretFiles('s', secret, options))).toEqual({ k: 'hi' })
})

it('the downward API shows labels and names', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels: { a: 'x"y' } },
    spec: { containers: [] },
  }
  const node = { name: 'n', addresses: [], allocatable: { cpuMillis: 1000, memoryBytes: 1, ephemeralBytes: 1 } }
  const files = downwardFiles(
    pod,
    [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
    ],
    { defaultMode: 0o644, node, podIps: [] },
  )
  expect(texts(files)).toEqual({ labels: 'a="x\\"y"', name: 'p' })
})
