import { describe, expect, it } from 'vitest'
import type { ConfigMap, Container, Pod, Secret, Service } from '../../../common/api/generated/types.ts'
import { containerEnvironment, EnvironmentError, type EnvironmentInput } from './environment.ts'
import { expand } from './expansion.ts'

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', uid: 'u', labels: { app: 'web', tier: 'front' } },
  spec: { containers: [], serviceAccountName: 'robot' },
}
const service = (namespace: string, name: string, clusterIP: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name },
  spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
})
const settings: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data: { color: 'blue', size: '3' },
}
const password: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'password' }, data: { key: 'c2VjcmV0' } }

const environment = (container: Partial<Container>, part: Partial<EnvironmentInput> = {}): Record<string, string> =>
  Object.fromEntries(
    containerEnvironment({
      pod,
      container: { name: 'c', ...container },
      node: {
        name: 'node-1',
        addresses: ['10.77.0.11'],
        allocatable: { cpuMillis: 2000, memoryBytes: 512 << 20, ephemeralBytes: 1 },
      },
      podIps: ['10.244.0.9'],
      services: [],
      configMap: (name) => (name === 'settings' ? settings : undefined),
      secret: (name) => (name === 'password' ? password : undefined),
      ...part,
    }),
  )

describe('expansion', () => {
  it.each([
    ['$(A)-$(B)', '1-$(B)'],
    ['$$(A)', '$(A)'],
    ['$A $ $(', '$A $ $('],
    ['$$$(A)', '$1'],
    ['$(A', '$(A'],
  ])('%s becomes %s', (input, expected) => {
    expect(expand(input, (name) => (name === 'A' ? '1' : undefined))).toBe(expected)
  })
})

describe('variables', () => {
  it('refer to earlier ones only', () => {
    expect(
      environment({
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)$(C)' },
          { name: 'C', value: '2' },
        ],
      }),
    ).toEqual({
      A: '1',
      B: '1$(C)',
      C: '2',
    })
  })

  it('take fields of the pod', () => {
    const ref = (fieldPath: string): Container['env'] => [{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }]
    expect(environment({ env: ref('metadata.namespace') })).toEqual({ X: 'shop' })
    expect(environment({ env: ref('status.podIP') })).toEqual({ X: '10.244.0.9' })
    expect(environment({ env: ref('status.hostIP') })).toEqual({ X: '10.77.0.11' })
    expect(environment({ env: ref("metadata.labels['app']") })).toEqual({ X: 'web' })
    expect(environment({ env: ref('metadata.labels') })).toEqual({ X: 'app="web"\ntier="front"' })
    expect(environment({ env: ref('spec.serviceAccountName') })).toEqual({ X: 'robot' })
  })

  it('take resources, from the node when there is no limit', () => {
    const container: Container = { name: 'c', resources: { limits: { memory: '10Mi' }, requests: { cpu: '250m' } } }
    const own = { ...pod, spec: { containers: [container] } }
    const of = (resource: string, divisor?: string): Record<string, string> =>
      environment(
        { ...container, env: [{ name: 'X', valueFrom: { resourceFieldRef: { resource, divisor } } }] },
        { pod: own },
      )
    expect(of('limits.memory')).toEqual({ X: String(10 << 20) })
    expect(of('limits.memory', '1Mi')).toEqual({ X: '10' })
    expect(of('requests.cpu')).toEqual({ X: '1' })
    expect(of('requests.cpu', '1m')).toEqual({ X: '250' })
    expect(of('limits.cpu')).toEqual({ X: '2' })
  })

  it('take keys of config maps and secrets', () => {
    expect(
      environment({
        env: [
          { name: 'C', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
          { name: 'S', valueFrom: { secretKeyRef: { name: 'password', key: 'key' } } },
          { name: 'O', valueFrom: { secretKeyRef: { name: 'none', key: 'key', optional: true } } },
        ],
      }),
    ).toEqual({ C: 'blue', S: 'secret' })
  })

  it.each([
    [{ configMapKeyRef: { name: 'none', key: 'k' } }, 'configmap "none" not found'],
    [{ configMapKeyRef: { name: 'settings', key: 'k' } }, "couldn't find key k in ConfigMap shop/settings"],
    [{ secretKeyRef: { name: 'none', key: 'k' } }, 'secret "none" not found'],
  ])('that cannot be resolved say why', (valueFrom, message) => {
    expect(() => environment({ env: [{ name: 'X', valueFrom }] })).toThrow(new EnvironmentError(message))
  })

  it('from whole objects come before single ones, with a prefix', () => {
    expect(
      environment({
        envFrom: [{ prefix: 'APP_', configMapRef: { name: 'settings' } }],
        env: [{ name: 'APP_size', value: '4' }],
      }),
    ).toEqual({ APP_color: 'blue', APP_size: '4' })
  })
})

describe('service links', () => {
  const services = [
    service('default', 'kubernetes', '10.96.0.1'),
    service('shop', 'my-db', '10.96.0.7'),
    service('other', 'x', '10.96.0.8'),
  ]

  it('name the services of the namespace and the API', () => {
    const result = environment({}, { services })
    expect(result).toMatchObject({
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      MY_DB_SERVICE_HOST: '10.96.0.7',
      MY_DB_SERVICE_PORT: '80',
      MY_DB_SERVICE_PORT_HTTP: '80',
      MY_DB_PORT: 'tcp://10.96.0.7:80',
      MY_DB_PORT_80_TCP_ADDR: '10.96.0.7',
    })
    expect(result['X_SERVICE_HOST']).toBeUndefined()
  })

  it('can be turned off, but for the API', () => {
    const own: Pod = { ...pod, spec: { containers: [], enableServiceLinks: false } }
    const result = environment({}, { services, pod: own })
    expect(result['MY_DB_SERVICE_HOST']).toBeUndefined()
    expect(result['KUBERNETES_SERVICE_HOST']).toBe('10.96.0.1')
  })

  it('never shadow what the container says', () => {
    expect(
      environment({ env: [{ name: 'MY_DB_SERVICE_HOST', value: 'mine' }] }, { services })['MY_DB_SERVICE_HOST'],
    ).toBe('mine')
  })
})
