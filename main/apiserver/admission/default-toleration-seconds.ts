// Every pod tolerates a node that is not ready or unreachable for five minutes, unless it says otherwise.
import type { Pod, Toleration } from '../../../common/api/generated/types.ts'
import { type AdmissionPlugin, concernsCore } from './admission.ts'

const seconds = 300
const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  concerns: concernsCore('pods'),
  mutate({ operation, resourceName, subresource, object }) {
    if (operation !== 'CREATE' || resourceName.group !== '' || resourceName.resource !== 'pods' || subresource !== '')
      return false
    const { spec } = object as Pod
    if (spec === undefined) return false
    const tolerations = spec.tolerations ?? []
    const missing = keys.filter((key) => !tolerations.some((toleration) => covers(toleration, key)))
    if (missing.length === 0) return false
    spec.tolerations = [
      ...tolerations,
      ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds })),
    ]
    return true
  },
}

const covers = ({ key = '', effect = '' }: Toleration, wanted: string): boolean =>
  (key === wanted || key === '') && (effect === 'NoExecute' || effect === '')
