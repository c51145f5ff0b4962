// Why a pod as a whole is where it is: what it waits for, from its conditions.
import type { Pod } from '../../common/api/generated/types.ts'
import type { Explanation } from './container-words.ts'
import { isReady, isUnschedulable, podStatusWord } from './pod-state.ts'

/** One explanation for the pod itself; containers explain themselves. */
export function explainPod(pod: Pod): Explanation | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) {
    const grace = pod.metadata.deletionGracePeriodSeconds
    return {
      tone: 'idle',
      what: `It is being stopped: its programs got SIGTERM and have ${grace === undefined ? 'their grace period' : `${String(grace)} s`} to finish.`,
      remedy:
        (pod.metadata.finalizers?.length ?? 0) > 0
          ? `It also waits for finalizers: ${(pod.metadata.finalizers ?? []).join(', ')}.`
          : undefined,
    }
  }
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled')
  if (isUnschedulable(pod)) {
    return {
      tone: 'warn',
      what: `No node can take it now. ${unschedulableWords(scheduled?.message ?? '')}`,
      remedy:
        'The table under "Why here?" shows each node\'s reason. It is tried again whenever a node or pod changes.',
    }
  }
  if ((pod.spec?.nodeName ?? '') === '') return { tone: 'busy', what: 'Waiting for the scheduler to choose a node.' }
  if (pod.status?.reason === 'Evicted') {
    return {
      tone: 'bad',
      what: `The node evicted it: ${pod.status.message ?? 'it was short of a resource'}.`,
      remedy: 'Its controller makes a replacement; this one only keeps the record and can be deleted.',
    }
  }
  if (pod.status?.phase === 'Succeeded')
    return { tone: 'done', what: 'All its containers ended with success; nothing runs any more.' }
  if (pod.status?.phase === 'Pending' && podStatusWord(pod) === 'Pending') {
    return {
      tone: 'busy',
      what: `${pod.spec?.nodeName ?? 'The node'} was chosen; waiting for its agent to pick the pod up.`,
    }
  }
  if (isReady(pod)) return undefined
  const gates = pod.status?.conditions?.find((condition) => condition.type === 'Ready' && condition.status === 'False')
  if (gates?.reason === 'ReadinessGatesNotReady')
    return { tone: 'busy', what: `Waiting for a readiness gate: ${gates.message ?? ''}` }
  return undefined
}

/** "0/2 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable." in words. */
export function unschedulableWords(message: string): string {
  const match = /^0\/(\d+) nodes are available: (.*?)\.(?: preemption.*)?$/is.exec(message.trim())
  if (match === null) return message
  const total = Number(match[1])
  const parts = (match[2] ?? '').split(/, (?=\d)/).map((part) => {
    const piece = /^(\d+) (.*)$/s.exec(part)
    if (piece === null) return part
    return `${total === 1 && piece[1] === '1' ? 'the node' : `${piece[1] ?? ''} of ${String(total)}`} ${total === 1 || piece[1] === '1' ? reasonWords(piece[2] ?? '') : plural(reasonWords(piece[2] ?? ''))}`
  })
  const text = parts.join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

const plurals: Readonly<Record<string, string>> = { has: 'have', is: 'are', does: 'do', says: 'say' }
const plural = (predicate: string): string => predicate.replace(/^\w+/, (verb) => plurals[verb] ?? verb)

/** A scheduler's reason as a predicate: "has too little free memory". */
export function reasonWords(reason: string): string {
  const insufficient = /^Insufficient (.+)$/.exec(reason)
  if (insufficient !== null)
    return `has too little unreserved ${insufficient[1] === 'cpu' ? 'CPU' : (insufficient[1] ?? '')}`
  const taint = /untolerated taint(?:\(s\))? ?\{?([^}:]*)/.exec(reason)
  if (taint !== null) {
    const key = (taint[1] ?? '').trim()
    if (key === 'node.kubernetes.io/not-ready') return 'is not ready'
    if (key === 'node.kubernetes.io/unreachable') return 'cannot be reached'
    if (key === 'node.kubernetes.io/unschedulable') return 'is cordoned'
    return key === '' ? 'is tainted against it' : `is tainted with ${key}, which the pod does not tolerate`
  }
  if (/affinity\/selector/.test(reason)) return "does not match the pod's node selector or affinity"
  if (/were unschedulable|is unschedulable/.test(reason)) return 'is cordoned'
  if (/free ports/.test(reason)) return 'has the host port in use'
  if (/Too many pods/i.test(reason)) return 'has no room for more pods'
  if (/topology spread/.test(reason)) return 'would break the spread the pod asks for'
  return `says: ${reason}`
}
