import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import {
  deploymentOf,
  emptyForm,
  fieldOfDeploymentPath,
  fieldOfServicePath,
  localErrors,
  manifestOf,
  nameForImage,
  serviceOf,
  type DeployForm,
} from './deploy-form.ts'

const form = (change: Partial<DeployForm> = {}): DeployForm => ({
  ...emptyForm(),
  name: 'web',
  image: 'hello:1.0',
  ...change,
})

describe('manifestOf', () => {
  it('writes a Deployment alone without a port', () => {
    const documents = parseAllDocuments(manifestOf(form()))
    expect(documents).toHaveLength(1)
    expect(serviceOf(form())).toBeUndefined()
  })
  it('writes a Service that selects the pods', () => {
    const filled = form({ port: 8080, servicePort: 80 })
    expect(parseAllDocuments(manifestOf(filled)).map((one) => (one.toJS() as { kind: string }).kind)).toEqual([
      'Deployment',
      'Service',
    ])
    expect(serviceOf(filled)?.spec?.selector).toEqual(deploymentOf(filled).spec?.template.metadata?.labels)
    expect(serviceOf(filled)?.spec?.ports).toEqual([{ port: 80, targetPort: 8080 }])
  })
  it('leaves out what is empty', () => {
    const container = deploymentOf(
      form({ cpuRequest: '', cpuLimit: '', memoryRequest: '', memoryLimit: '', env: [{ name: '', value: '' }] }),
    ).spec?.template.spec?.containers[0]
    expect(container).toEqual({ name: 'main', image: 'hello:1.0' })
  })
  it('restricts the architecture and sets variables', () => {
    const spec = deploymentOf(form({ arch: 'arm64', env: [{ name: 'A', value: '1' }] })).spec?.template.spec
    expect(spec?.nodeSelector).toEqual({ 'kubernetes.io/arch': 'arm64' })
    expect(spec?.containers[0]?.env).toEqual([{ name: 'A', value: '1' }])
  })
})

describe('server complaints', () => {
  it.each([
    ['metadata.name', 'name'],
    ['spec.selector', 'name'],
    ['spec.replicas', 'replicas'],
    ['spec.template.spec.containers[0].image', 'image'],
    ['spec.template.spec.containers[0].ports[0].containerPort', 'port'],
    ['spec.template.spec.containers[0].env[2].name', 'env.2'],
    ['spec.template.spec.containers[0].resources.requests[cpu]', 'cpuRequest'],
    ['spec.template.spec.containers[0].resources.requests', 'memoryLimit'],
    ['spec.template.spec.containers[0].resources.limits.memory', 'memoryLimit'],
    ['spec.strategy', undefined],
  ])('about %s go to %s', (path, field) => {
    expect(fieldOfDeploymentPath(path)).toBe(field)
  })
  it('about the Service go to its fields', () => {
    expect(fieldOfServicePath('spec.ports[0].port')).toBe('servicePort')
    expect(fieldOfServicePath('spec.ports[0].targetPort')).toBe('port')
  })
})

it('knows what is wrong without asking', () => {
  expect([...localErrors(form()).keys()]).toEqual([])
  expect([...localErrors(form({ name: '', memoryLimit: 'much' })).keys()]).toEqual(['name', 'memoryLimit'])
})

it('names a deployment after its image', () => {
  expect(nameForImage('docker.io/library/Hello_World:1.0')).toBe('hello-world')
  expect(nameForImage('reg:5000/a/b@sha256:00')).toBe('b')
})
