// Reads and writes the scale subresource of whatever an autoscaler points at, also of custom resources.
import type {
  APIResourceList,
  AutoscalingV2HorizontalPodAutoscaler,
  Scale,
} from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { resourcePath } from '../../../common/client/create-client.ts'
import { parseApiVersion } from '../../../common/machinery/meta.ts'
import { asError } from '../ownership/slow-start.ts'

export type FoundScale = { scale: Scale; error?: undefined } | { scale?: undefined; error: string }

export interface ScaleTargets {
  read(autoscaler: AutoscalingV2HorizontalPodAutoscaler): Promise<FoundScale>
  write(autoscaler: AutoscalingV2HorizontalPodAutoscaler, scale: Scale, replicas: number): Promise<void>
}

export function createScaleTargets({ transport }: KubeClient): ScaleTargets {
  /** "apps/v1/Deployment" -> "deployments"; what was found once stays. */
  const plurals = new Map<string, string>()

  async function pathOf({ metadata, spec }: AutoscalingV2HorizontalPodAutoscaler): Promise<string> {
    const { apiVersion = 'v1', kind = '', name = '' } = spec?.scaleTargetRef ?? {}
    const { group, version } = parseApiVersion(apiVersion)
    const plural = plurals.get(`${apiVersion}/${kind}`) ?? (await lookUp(apiVersion, kind))
    const target = { namespace: metadata.namespace, name, subresource: 'scale' }
    return resourcePath({ group, version, plural, namespaced: true }, target)
  }

  async function lookUp(apiVersion: string, kind: string): Promise<string> {
    const { group, version } = parseApiVersion(apiVersion)
    const path = group === '' ? `/api/${version}` : `/apis/${apiVersion}`
    const list = await transport.request<APIResourceList>({ method: 'GET', path })
    const found = list.resources.find((resource) => resource.kind === kind && !resource.name.includes('/'))
    if (found === undefined) throw new Error(`no matches for kind "${kind}" in group "${group}"`)
    plurals.set(`${apiVersion}/${kind}`, found.name)
    return found.name
  }

  return {
    async read(autoscaler) {
      try {
        return { scale: await transport.request<Scale>({ method: 'GET', path: await pathOf(autoscaler) }) }
      } catch (error) {
        return { error: asError(error).message }
      }
    },
    async write(autoscaler, scale, replicas) {
      const body = { ...scale, spec: { ...scale.spec, replicas } }
      await transport.request({ method: 'PUT', path: await pathOf(autoscaler), body })
    },
  }
}
