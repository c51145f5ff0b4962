// The containers a pod is made of, whatever list of the spec they stand in.
import type { Container, ContainerStatus, EphemeralContainer, Pod } from '../../../common/api/generated/types.ts'

export const allContainers = ({ spec }: Pod): (Container | EphemeralContainer)[] => [
  ...(spec?.containers ?? []),
  ...(spec?.initContainers ?? []),
  ...(spec?.ephemeralContainers ?? []),
]

export const allContainerStatuses = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.containerStatuses ?? []),
  ...(status?.initContainerStatuses ?? []),
  ...(status?.ephemeralContainerStatuses ?? []),
]
