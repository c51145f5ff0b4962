// Orrery's own: a lab mixes architectures, and it knows what its images were built for. A pod is kept off nodes that cannot run its
// image, unless it picked the node itself (selector or affinity on architecture or host name): then it goes there and fails as it
// would on any cluster, and the decision says why.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { FilterPlugin, Rejection, ScorePlugin } from '../framework/plugin.ts'
import { rejectForGood } from '../framework/plugin.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { fullImageName } from './image-name.ts'

/** Architectures that an image is built for; undefined when the lab does not know it. */
export type ImageArchitectures = (fullName: string) => ReadonlySet<string> | undefined

const name = 'ImageArchitecture'
const choosingKeys = new Set(['kubernetes.io/arch', 'kubernetes.io/hostname', 'beta.kubernetes.io/arch'])

export function newImageArchitecture(architecturesOf: ImageArchitectures): {
  filter: FilterPlugin
  score: ScorePlugin
} {
  const knownImages = (pod: PodFacts): { image: string; architectures: ReadonlySet<string> }[] =>
    [...new Set(pod.images)].flatMap((image) => {
      const architectures = architecturesOf(fullImageName(image))
      return architectures === undefined || architectures.size === 0 ? [] : [{ image, architectures }]
    })
  const misfit = (images: ReturnType<typeof knownImages>, node: NodeState): (typeof images)[number] | undefined => {
    const architecture = architectureOf(node)
    return architecture === undefined ? undefined : images.find(({ architectures }) => !architectures.has(architecture))
  }
  const rejections = new Map<string, Rejection>()
  const rejectionFor = (image: string, architectures: ReadonlySet<string>): Rejection => {
    const text = `node(s) couldn't run image ${image}, which is built for ${list(architectures)} only`
    let rejection = rejections.get(text)
    if (rejection === undefined) {
      if (rejections.size > 1_000) rejections.clear()
      rejection = rejectForGood(text)
      rejections.set(text, rejection)
    }
    return rejection
  }
  return {
    filter: {
      name,
      prepare(pod) {
        if (picksItsNode(pod.pod)) return undefined
        const images = knownImages(pod)
        if (images.length === 0) return undefined
        return (node) => {
          const wrong = misfit(images, node)
          return wrong === undefined ? undefined : rejectionFor(wrong.image, wrong.architectures)
        }
      },
      mayHelp: (change) =>
        change.type === 'images-changed' ||
        change.type === 'node-added' ||
        (change.type === 'node-changed' && change.labels),
    },
    score: {
      name,
      weight: 10,
      prepare(pod) {
        const images = knownImages(pod)
        if (images.length === 0) return undefined
        return {
          score: (node) => (misfit(images, node) === undefined ? 100 : 0),
          reason(node) {
            const wrong = misfit(images, node)
            if (wrong === undefined) return `the image is built for ${architectureOf(node) ?? 'this node'}`
            return `image ${wrong.image} is built for ${list(wrong.architectures)} only, this node is ${architectureOf(node) ?? 'unknown'}: the pod asked for this node, expect "exec format error"`
          },
        }
      },
    },
  }
}

const architectureOf = (node: NodeState): string | undefined =>
  node.labels['kubernetes.io/arch'] ?? node.node?.status?.nodeInfo?.architecture

const list = (architectures: ReadonlySet<string>): string => [...architectures].sort().join(' and ')

function picksItsNode(pod: Pod): boolean {
  if (Object.keys(pod.spec?.nodeSelector ?? {}).some((key) => choosingKeys.has(key))) return true
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchFields.length > 0 || matchExpressions.some(({ key }) => choosingKeys.has(key)),
  )
}
