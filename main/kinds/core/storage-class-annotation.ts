// The annotation that named the class of a volume before there was a field for it.
import type { ObjectMeta } from '../../../common/machinery/meta.ts'

const annotation = 'volume.beta.kubernetes.io/storage-class'

export const storageClassWarnings = ({ annotations }: ObjectMeta): string[] =>
  annotations?.[annotation] === undefined
    ? []
    : [`metadata.annotations[${annotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]
