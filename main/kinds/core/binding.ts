// Binding: a pod is given to a node. Posted, carried out on the pod, never stored.
import { defineKind } from '../kind.ts'

export const binding = defineKind('v1/bindings', {})
