// Finds the container or sandbox that a request means.
import type { Pod } from '../../../common/api/generated/types.ts'
import { badRequest, notFound } from '../../../common/machinery/status.ts'
import { allContainers } from '../pods/pod-containers.ts'
import type { ObservedContainer, ObservedSandbox } from '../runtime/observed.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface Pods {
  find(namespace: string, name: string): Pod | undefined
}

export interface TargetFinder {
  /** All instances of the container, newest first. */
  instances(namespace: string, podName: string, container: string): Promise<readonly ObservedContainer[]>
  running(namespace: string, podName: string, container: string): Promise<ObservedContainer>
  sandbox(namespace: string, podName: string): Promise<ObservedSandbox>
}

export function createTargetFinder(pods: Pods, runtime: Runtime): TargetFinder {
  const requirePod = (namespace: string, name: string): Pod => {
    const pod = pods.find(namespace, name)
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name)
    return pod
  }
  const instances: TargetFinder['instances'] = async (namespace, podName, container) => {
    const pod = requirePod(namespace, podName)
    if (!allContainers(pod).some(({ name }) => name === container))
      throw badRequest(`container ${container} is not valid for pod ${podName}`)
    const observed = await runtime.observe(pod.metadata.uid ?? '')
    return observed.containers.filter(({ name }) => name === container)
  }
  return {
    instances,
    async running(namespace, podName, container) {
      const [newest] = await instances(namespace, podName, container)
      if (newest?.state !== 'running') throw notFound({ group: '', resource: 'containers' }, container)
      return newest
    },
    async sandbox(namespace, podName) {
      const pod = requirePod(namespace, podName)
      const { sandboxes } = await runtime.observe(pod.metadata.uid ?? '')
      const ready = sandboxes.find((sandbox) => sandbox.ready)
      if (ready === undefined) throw badRequest(`pod ${podName} is not running`)
      return ready
    },
  }
}
