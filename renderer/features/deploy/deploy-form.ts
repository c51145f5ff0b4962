// The guided form as a pure function: what is filled in, in; the objects it writes, out; and which server complaint belongs to which field.
import type { Container, Deployment, Service } from '../../../common/api/generated/types.ts'
import { isQuantity } from '../../../common/machinery/quantity.ts'
import { toYaml } from '../../explain/yaml-text.ts'

export interface DeployForm {
  name: string
  namespace: string
  image: string
  replicas: number
  /** Where the program listens; none when empty. */
  port: number | ''
  /** Make a Service in front of the pods. */
  service: boolean
  servicePort: number | ''
  arch: '' | 'amd64' | 'arm64'
  cpuRequest: string
  cpuLimit: string
  memoryRequest: string
  memoryLimit: string
  env: { name: string; value: string }[]
}

export type FieldId = Exclude<keyof DeployForm, 'env' | 'service'> | 'service' | `env.${number}`

export const emptyForm = (): DeployForm => ({
  name: '',
  namespace: 'default',
  image: '',
  replicas: 2,
  port: '',
  service: true,
  servicePort: 80,
  arch: '',
  cpuRequest: '50m',
  cpuLimit: '',
  memoryRequest: '32Mi',
  memoryLimit: '64Mi',
  env: [],
})

export const containerName = 'main'
const containerPath = 'spec.template.spec.containers[0]'

export function deploymentOf(form: DeployForm): Deployment {
  const labels = { app: form.name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: form.name, namespace: form.namespace, labels },
    spec: {
      replicas: form.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...(form.arch === '' ? {} : { nodeSelector: { 'kubernetes.io/arch': form.arch } }),
          containers: [containerOf(form)],
        },
      },
    },
  }
}

function containerOf(form: DeployForm): Container {
  const requests = quantities(form.cpuRequest, form.memoryRequest)
  const limits = quantities(form.cpuLimit, form.memoryLimit)
  const env = form.env.filter((one) => one.name !== '' || one.value !== '')
  return {
    name: containerName,
    image: form.image.trim(),
    ...(form.port === '' ? {} : { ports: [{ containerPort: form.port }] }),
    ...(env.length === 0 ? {} : { env: env.map(({ name, value }) => ({ name, value })) }),
    ...(requests === undefined && limits === undefined
      ? {}
      : {
          resources: { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) },
        }),
  }
}

function quantities(cpu: string, memory: string): Record<string, string> | undefined {
  const found: Record<string, string> = {}
  if (cpu.trim() !== '') found['cpu'] = cpu.trim()
  if (memory.trim() !== '') found['memory'] = memory.trim()
  return Object.keys(found).length === 0 ? undefined : found
}

export const wantsService = (form: DeployForm): boolean => form.service && form.port !== '' && form.servicePort !== ''

export function serviceOf(form: DeployForm): Service | undefined {
  if (!wantsService(form)) return undefined
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: form.name, namespace: form.namespace, labels: { app: form.name } },
    spec: { selector: { app: form.name }, ports: [{ port: Number(form.servicePort), targetPort: Number(form.port) }] },
  }
}

/** What `kubectl apply -f` would take: one document, or two with a Service. */
export function manifestOf(form: DeployForm): string {
  const service = serviceOf(form)
  return [deploymentOf(form), ...(service === undefined ? [] : [service])].map((object) => toYaml(object)).join('---\n')
}

/** A complaint about the Deployment: the form field to put it beside, or undefined when the form has none for it. */
export function fieldOfDeploymentPath(path: string): FieldId | undefined {
  if (/^metadata\.namespace/.test(path)) return 'namespace'
  if (/^metadata\.(name|labels)|^spec\.(selector|template\.metadata\.labels|template\.labels)/.test(path)) return 'name'
  if (path === 'spec.replicas') return 'replicas'
  if (/nodeSelector/.test(path)) return 'arch'
  if (!path.startsWith(containerPath)) return undefined
  const rest = path.slice(containerPath.length + 1)
  if (rest === 'image') return 'image'
  if (rest.startsWith('ports[')) return 'port'
  const env = /^env\[(\d+)\]/.exec(rest)
  if (env !== null) return `env.${Number(env[1])}`
  const resource = /^resources\.(requests|limits)[[.]"?(cpu|memory)/.exec(rest)
  if (resource !== null)
    return `${resource[2] === 'cpu' ? 'cpu' : 'memory'}${resource[1] === 'requests' ? 'Request' : 'Limit'}`
  if (rest.startsWith('resources')) return 'memoryLimit'
  return undefined
}

export function fieldOfServicePath(path: string): FieldId | undefined {
  if (path === 'metadata.name') return 'name'
  if (/^spec\.ports\[0\]\.targetPort/.test(path)) return 'port'
  if (/^spec\.ports/.test(path)) return 'servicePort'
  return undefined
}

/** What is known to be wrong without asking: empty required fields (not nagged about until touched) and quantities that no server can read. */
export function localErrors(form: DeployForm): Map<FieldId, string> {
  const found = new Map<FieldId, string>()
  if (form.name === '') found.set('name', 'A name is needed.')
  if (form.image.trim() === '') found.set('image', 'An image is needed.')
  if (!Number.isInteger(form.replicas) || form.replicas < 0) found.set('replicas', 'A whole number, 0 or more.')
  for (const field of ['cpuRequest', 'cpuLimit'] as const)
    if (form[field].trim() !== '' && !isQuantity(form[field].trim()))
      found.set(field, 'Not an amount. Write 250m for a quarter of a CPU, or 1.5.')
  for (const field of ['memoryRequest', 'memoryLimit'] as const)
    if (form[field].trim() !== '' && !isQuantity(form[field].trim()))
      found.set(field, 'Not an amount. Write 64Mi or 1Gi.')
  if (form.service && form.port !== '' && form.servicePort === '')
    found.set('servicePort', 'A port is needed, or leave the Service out.')
  return found
}

/** A name for a deployment of this image: "docker.io/library/hello:1.0" -> "hello". */
export function nameForImage(image: string): string {
  const last = image.trim().split('/').pop() ?? ''
  return (last.split(/[:@]/)[0] ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50)
}
