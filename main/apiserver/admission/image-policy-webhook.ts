// ImagePolicyWebhook: a program outside says which images may run; its answers are remembered for a while.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { RemoteClient } from '../auth/remote/endpoint.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concernsCore } from './admission.ts'
import { type PluginConfiguration, requireNumber } from './configuration.ts'

interface ImagePolicy {
  readonly endpoint: NonNullable<PluginConfiguration['endpoint']>
  readonly allowMs: number
  readonly denyMs: number
  /** What happens when the program cannot be asked. */
  readonly defaultAllow: boolean
}

interface ReviewStatus {
  readonly allowed?: boolean
  readonly reason?: string
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

const auditPrefix = 'imagepolicywebhook.image-policy.k8s.io/'
const timeoutMs = 30_000
const maxRemembered = 1024

/** Undefined: nobody to ask; the plugin cannot run. */
export function readImagePolicy(configuration: PluginConfiguration | undefined): ImagePolicy {
  const { imagePolicy } = (configuration?.content ?? {}) as {
    imagePolicy?: { allowTTL?: unknown; denyTTL?: unknown; retryBackoff?: unknown; defaultAllow?: unknown }
  }
  if (imagePolicy === undefined || configuration?.endpoint === undefined)
    throw new Error('imagePolicy.kubeConfigFile: Required value')
  const seconds = (field: 'allowTTL' | 'denyTTL', fallback: number): number =>
    requireNumber(`imagePolicy.${field}`, imagePolicy[field] ?? fallback, 0)
  return {
    endpoint: configuration.endpoint,
    allowMs: seconds('allowTTL', 300) * 1000,
    denyMs: seconds('denyTTL', 30) * 1000,
    defaultAllow: imagePolicy.defaultAllow === true,
  }
}

export function imagePolicyWebhook({ endpoint, allowMs, denyMs, defaultAllow }: ImagePolicy): AdmissionPlugin {
  const client = new RemoteClient(endpoint)
  const remembered = new Map<string, { status: ReviewStatus; until: number }>()

  async function judge(attributes: AdmissionAttributes, spec: object): Promise<void> {
    const { request, registry, resourceName, name } = attributes
    const key = JSON.stringify(spec)
    const now = registry.clock.now()
    const known = remembered.get(key)
    let status = known !== undefined && known.until > now ? known.status : undefined
    if (status === undefined) {
      const review = { kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', spec }
      try {
        status = ((await client.post(review, timeoutMs)) as { status?: ReviewStatus }).status ?? {}
      } catch (error) {
        if (!defaultAllow) throw forbidden(resourceName, name, error instanceof Error ? error.message : String(error))
        request.audit?.(`${auditPrefix}failed-open`, 'true')
        return
      }
      remembered.set(key, { status, until: now + (status.allowed === true ? allowMs : denyMs) })
      const [oldest] = remembered.keys()
      if (remembered.size > maxRemembered && oldest !== undefined) remembered.delete(oldest)
    }
    for (const [topic, value] of Object.entries(status.auditAnnotations ?? {}))
      request.audit?.(`${auditPrefix}${topic}`, value)
    if (status.allowed === true) return
    const { reason = '' } = status
    throw forbidden(
      resourceName,
      name,
      reason === ''
        ? 'one or more images rejected by webhook backend'
        : `image policy webhook backend denied one or more images: ${reason}`,
    )
  }

  return {
    name: 'ImagePolicyWebhook',
    concerns: concernsCore('pods'),
    validate(attributes) {
      const { operation, subresource, namespace } = attributes
      const isEphemeral = subresource === 'ephemeralcontainers'
      if (!isEphemeral && (subresource !== '' || operation === 'DELETE')) return
      const { spec, metadata } = attributes.object as KubeObject & Pod
      const ephemeral = spec?.ephemeralContainers ?? []
      const containers = isEphemeral
        ? ephemeral
        : [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...ephemeral]
      const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) =>
        key.includes('.image-policy.k8s.io/'),
      )
      return judge(attributes, {
        containers: containers.map(({ image }) => ({ image })),
        ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
        namespace,
      })
    },
  }
}
