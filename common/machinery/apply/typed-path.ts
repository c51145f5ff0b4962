// Paths as server-side apply writes them: list items by their keys (`.spec.containers[name="web"].image`).
import type { Definitions } from '../schema/definitions.ts'
import { Shapes, walk } from './shape.ts'

/** `path`: in the form of strict decoding ("spec.containers[0].image"), within `value`, which is of the definition. */
export function typedPath(definitions: Definitions, definition: string, value: unknown, path: string): string {
  let shape = new Shapes(definitions).of(definition)
  let at = value
  let text = ''
  for (const step of path.match(/\[\d+\]|[^.[\]]+/g) ?? []) {
    const inside = walk(at, shape)
    if (step.startsWith('[')) {
      at = (at as readonly unknown[] | undefined)?.[Number(step.slice(1, -1))]
      text += inside.kind === 'items' ? keysOf(inside.element(at)) : step
      if (inside.kind === 'items') shape = inside.shape
    } else {
      text += `.${step}`
      at = (at as Readonly<Record<string, unknown>> | undefined)?.[step]
      if (inside.kind === 'object') shape = inside.child(step).shape
    }
  }
  return text
}

/** `k:{"name":"web"}` as `[name="web"]`. */
function keysOf(element: string): string {
  if (!element.startsWith('k:')) return `[=${element.slice(2)}]`
  const keys = JSON.parse(element.slice(2)) as Readonly<Record<string, unknown>>
  return `[${Object.entries(keys)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}]`
}
