import type { Container } from '../../../common/api/generated/types.ts'

/** Records an event about the pod, or about one of its containers. */
export type PodEvent = (type: 'Normal' | 'Warning', reason: string, message: string, container?: Container) => void
