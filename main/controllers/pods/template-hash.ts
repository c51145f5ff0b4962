// A short stable name for a pod template. It hashes the template's canonical JSON, so it depends neither on key order nor on how this
// program is built. Two templates with one hash are told apart by the collision count.
import { safeEncode } from '../../../common/machinery/random-name.ts'
import type { PodTemplateSpec } from '../../../common/api/generated/types.ts'

export function templateHash(template: PodTemplateSpec, collisionCount = 0): string {
  const text = canonicalJson(template) + (collisionCount === 0 ? '' : `#${String(collisionCount)}`)
  return safeEncode(String(fnv1a(text)))
}

/** Equal but for the labels in `ignored`. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined, ignored: string): boolean {
  return canonicalJson(withoutLabel(a, ignored)) === canonicalJson(withoutLabel(b, ignored))
}

function withoutLabel(template: PodTemplateSpec | undefined, label: string): unknown {
  const labels = template?.metadata?.labels
  if (labels === undefined || !Object.hasOwn(labels, label)) return template
  const { [label]: _, ...rest } = labels
  return { ...template, metadata: { ...template?.metadata, labels: rest } }
}

/** JSON with sorted keys, without undefined and null members (the API treats those as absent). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined && member !== null) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`)
  }
  return `{${members.join(',')}}`
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
