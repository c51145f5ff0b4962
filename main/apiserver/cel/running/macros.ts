// Macros that walk lists and maps.
import type { MacroExpr } from '../syntax/ast.ts'
import { CelError, LiteralMap, MapValue, none, Optional } from '../values.ts'
import { compare } from '../library/operators.ts'
import { type Frame, type Run, ScopeFrame } from './frame.ts'

/** What a loop itself costs per round in cel-go: condition and accumulator. */
const roundCost = 3

export interface MacroParts {
  readonly filter: Run | undefined
  readonly body: Run
}

export function buildMacro(expr: MacroExpr, range: Run, parts: MacroParts): Run {
  const { macro, variables } = expr
  const { filter, body } = parts
  switch (macro) {
    case 'all':
      return quantifier(variables, range, body, false)
    case 'exists':
      return quantifier(variables, range, body, true)
    case 'exists_one':
      return (frame) => {
        let count = 0
        for (const scope of rounds(variables, range(frame), frame)) if (truth(body(scope))) count += 1
        return count === 1
      }
    case 'map':
    case 'transformList':
      return (frame) => collect(variables, range(frame), frame, filter, (scope) => body(scope))
    case 'filter':
      return (frame) => collect(variables, range(frame), frame, body, (scope) => scope.get(variables[0] ?? ''))
    case 'sortBy':
      return (frame) => {
        const keyed: { item: unknown; key: unknown }[] = []
        for (const scope of rounds(variables, range(frame), frame))
          keyed.push({ item: scope.get(variables[0] ?? ''), key: body(scope) })
        return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item)
      }
    case 'transformMap':
      return (frame) => {
        const map = new LiteralMap()
        for (const scope of rounds(variables, range(frame), frame))
          if (filter === undefined || truth(filter(scope))) map.set(scope.get(variables[0] ?? ''), body(scope))
        return map
      }
    case 'transformMapEntry':
      return (frame) => entries(variables, range(frame), frame, parts)
    case 'optMap':
    case 'optFlatMap':
      return (frame) => {
        const optional = range(frame)
        if (!(optional instanceof Optional)) throw new CelError('no such overload')
        if (optional.value === undefined) return none
        const result = body(new ScopeFrame(frame, variables[0] ?? '', optional.value))
        return macro === 'optMap' ? new Optional(result) : result
      }
  }
}

function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new CelError('no such overload')
  return value
}

/** One scope per element; the scope object is reused, so it is valid until the next round only. */
function* rounds(variables: readonly string[], range: unknown, frame: Frame): Generator<Frame> {
  const [first = '', second] = variables
  const outer = new ScopeFrame(frame, first)
  const inner = second === undefined ? undefined : new ScopeFrame(outer, second)
  const scope = inner ?? outer
  if (Array.isArray(range)) {
    for (const [at, item] of range.entries()) {
      frame.budget.spend(roundCost)
      outer.value = inner === undefined ? item : BigInt(at)
      if (inner !== undefined) inner.value = item
      yield scope
    }
    return
  }
  if (!(range instanceof MapValue)) throw new CelError('no such overload')
  for (const key of range.keys()) {
    frame.budget.spend(roundCost)
    outer.value = key
    if (inner !== undefined) inner.value = range.get(key)
    yield scope
  }
}

function quantifier(variables: readonly string[], range: Run, body: Run, decisive: boolean): Run {
  return (frame) => {
    let failure: CelError | undefined
    for (const scope of rounds(variables, range(frame), frame)) {
      try {
        if (truth(body(scope)) === decisive) return decisive
      } catch (error) {
        if (!(error instanceof CelError)) throw error
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
    return !decisive
  }
}

function collect(
  variables: readonly string[],
  range: unknown,
  frame: Frame,
  filter: Run | undefined,
  take: (scope: Frame) => unknown,
): unknown[] {
  const list: unknown[] = []
  for (const scope of rounds(variables, range, frame))
    if (filter === undefined || truth(filter(scope))) list.push(take(scope))
  return list
}

function entries(variables: readonly string[], range: unknown, frame: Frame, { filter, body }: MacroParts): LiteralMap {
  const map = new LiteralMap()
  for (const scope of rounds(variables, range, frame)) {
    if (filter !== undefined && !truth(filter(scope))) continue
    const made = body(scope)
    if (!(made instanceof MapValue)) throw new CelError('no such overload')
    for (const key of made.keys()) {
      if (map.get(key) !== undefined) throw new CelError('insert failed: key already exists')
      map.set(key, made.get(key))
    }
  }
  return map
}
