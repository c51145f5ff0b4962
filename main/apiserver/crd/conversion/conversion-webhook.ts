// Conversion of custom resources between versions by a program of the definition's own (strategy Webhook).
import { randomUUID } from 'node:crypto'
import type { CustomResourceDefinition } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { StatusError } from '../../../../common/machinery/status.ts'
import { internalError } from '../../../../common/machinery/status.ts'
import type { WebhookClient } from '../../webhooks/client.ts'

const timeoutSeconds = 30

export interface ConversionWebhook {
  /** In the order given. Throws StatusError when the program cannot be asked, fails, or answers with something else. */
  convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>
}

interface Answer {
  readonly uid?: string
  readonly result?: { readonly status?: string; readonly message?: string }
  readonly convertedObjects?: readonly KubeObject[]
}

/** Undefined when versions differ by name alone. */
export function conversionWebhookOf(
  { spec }: CustomResourceDefinition,
  client: WebhookClient,
): ConversionWebhook | undefined {
  const { conversion, group, names } = spec
  const clientConfig = conversion?.webhook?.clientConfig
  if (conversion?.strategy !== 'Webhook' || clientConfig === undefined) return undefined
  const { service, url, caBundle } = clientConfig
  const config = {
    ...(url === undefined ? {} : { url }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(service === undefined ? {} : { service }),
  }
  const version = conversion.webhook?.conversionReviewVersions.find((one) => one === 'v1' || one === 'v1beta1') ?? 'v1'
  return {
    async convert(objects, apiVersion) {
      const failed = (why: string): StatusError =>
        internalError(`conversion webhook for ${objects[0]?.apiVersion ?? group}, Kind=${names.kind} failed: ${why}`)
      const uid = randomUUID()
      const body = {
        kind: 'ConversionReview',
        apiVersion: `apiextensions.k8s.io/${version}`,
        request: { uid, desiredAPIVersion: apiVersion, objects },
      }
      let response: Answer | undefined
      try {
        response = ((await client.post({ config, timeoutSeconds, body })) as { response?: Answer } | undefined)
          ?.response
      } catch (error) {
        throw failed((error instanceof Error ? error.message : String(error)).replace(/^failed to call webhook: /, ''))
      }
      if (response === undefined) throw failed('no response')
      if (response.uid !== uid)
        throw failed(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid)}`)
      if (response.result?.status !== 'Success') throw failed(response.result?.message ?? 'unknown')
      const converted = response.convertedObjects ?? []
      if (converted.length !== objects.length)
        throw failed(`expected ${String(objects.length)} converted objects, got ${String(converted.length)}`)
      return converted.map((object, index) => {
        const given = objects[index]
        if (object.apiVersion !== apiVersion || object.kind !== names.kind || given === undefined)
          throw failed(`returned object at index ${String(index)} is ${object.apiVersion}, Kind=${object.kind}`)
        return keepMetadata(object, given)
      })
    },
  }
}

/** Only labels and annotations are the program's to change. */
function keepMetadata(converted: KubeObject, given: KubeObject): KubeObject {
  const { labels, annotations } = converted.metadata
  const { labels: _labels, annotations: _annotations, ...rest } = given.metadata
  return {
    ...converted,
    metadata: {
      ...rest,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  }
}
