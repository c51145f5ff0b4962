// How functions are declared: a signature in CEL's words, what it does, and what it costs beyond the call itself.
import { type CelType, parseType, splitTypes } from '../types.ts'

export interface Overload {
  readonly name: string
  /** Called on its first argument. */
  readonly method: boolean
  readonly args: readonly CelType[]
  readonly result: CelType
  readonly run: (...args: unknown[]) => unknown
  /** Cost units beyond the one of every call, by the values of the arguments. */
  readonly cost: ((...args: unknown[]) => number) | undefined
}

export type Functions = ReadonlyMap<string, readonly Overload[]>

/** "string.contains(string): bool" (a method) or "size(list<A>): int" (a function). */
export function declare(
  signature: string,
  run: (...args: never[]) => unknown,
  cost?: (...args: never[]) => number,
): Overload {
  const open = signature.indexOf('(')
  const close = signature.lastIndexOf('):')
  const args = signature.slice(open + 1, close)
  const result = signature.slice(close + 2)
  const [name, receiver] = splitName(signature.slice(0, open))
  return {
    name,
    method: receiver !== undefined,
    args: [...(receiver === undefined ? [] : [parseType(receiver)]), ...splitTypes(args).map(parseType)],
    result: parseType(result),
    run: run as (...args: unknown[]) => unknown,
    cost: cost as ((...args: unknown[]) => number) | undefined,
  }
}

/**
 * The receiver's type may hold dots itself ("net.IP.family"): the name follows the last one. "::" before the name says that its dots
 * are part of it ("::optional.of").
 */
function splitName(head: string): [string, string | undefined] {
  if (head.startsWith('::')) return [head.slice(2), undefined]
  const dot = head.lastIndexOf('.')
  return dot === -1 ? [head, undefined] : [head.slice(dot + 1), head.slice(0, dot)]
}

export function library(...groups: (readonly Overload[])[]): Functions {
  const functions = new Map<string, Overload[]>()
  for (const overload of groups.flat()) {
    const list = functions.get(overload.name)
    if (list === undefined) functions.set(overload.name, [overload])
    else list.push(overload)
  }
  return functions
}

/** cel-go's charge for walking a text: a tenth per character. */
export const traversal = (text: string | Uint8Array | readonly unknown[]): number => Math.ceil(text.length * 0.1)
