// Tells each node's kubelet for how long it may use what it knows of config maps and secrets: the larger the cluster, the longer.
import { createController, mapChanges } from '../../../common/client/controller.ts'
import { nodes } from '../../../common/client/resources.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { nextStep, ttlSteps } from './plan.ts'

const ttlAnnotation = 'node.alpha.kubernetes.io/ttl'

export const newTtlController: ControllerFactory = (deps) => {
  const name = 'ttl-controller'
  const client = deps.client(name)
  const nodeInformer = deps.informers.of(nodes)
  let step = 0

  async function reconcile(key: string): Promise<void> {
    const node = nodeInformer.get(key)
    const wanted = String(ttlSteps[step]?.seconds ?? 0)
    if (node === undefined || node.metadata.annotations?.[ttlAnnotation] === wanted) return
    const patch = { metadata: { uid: node.metadata.uid, annotations: { [ttlAnnotation]: wanted } } }
    await client.patch(nodes, { name: key }, 'application/merge-patch+json', patch)
  }

  return createController({
    name,
    sources: [
      mapChanges(nodeInformer, ({ metadata }) => {
        const next = nextStep(step, nodeInformer.list().length)
        if (next === step) return [metadata.name ?? '']
        step = next
        return nodeInformer.list().map((node) => node.metadata.name ?? '')
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
