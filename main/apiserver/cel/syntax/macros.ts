// Calls that are macros by name and shape: their first arguments name variables.
import type { Expr, Macro } from './ast.ts'
import { SyntaxIssue } from './issue.ts'

interface Shape {
  readonly macro: Macro
  /** How many of the arguments are variables. */
  readonly variables: number
  readonly filter: boolean
}

const shapes: Readonly<Record<string, Shape>> = {
  'all/2': { macro: 'all', variables: 1, filter: false },
  'all/3': { macro: 'all', variables: 2, filter: false },
  'exists/2': { macro: 'exists', variables: 1, filter: false },
  'exists/3': { macro: 'exists', variables: 2, filter: false },
  'exists_one/2': { macro: 'exists_one', variables: 1, filter: false },
  'existsOne/2': { macro: 'exists_one', variables: 1, filter: false },
  'existsOne/3': { macro: 'exists_one', variables: 2, filter: false },
  'map/2': { macro: 'map', variables: 1, filter: false },
  'map/3': { macro: 'map', variables: 1, filter: true },
  'filter/2': { macro: 'filter', variables: 1, filter: false },
  'sortBy/2': { macro: 'sortBy', variables: 1, filter: false },
  'optMap/2': { macro: 'optMap', variables: 1, filter: false },
  'optFlatMap/2': { macro: 'optFlatMap', variables: 1, filter: false },
  'transformList/3': { macro: 'transformList', variables: 2, filter: false },
  'transformList/4': { macro: 'transformList', variables: 2, filter: true },
  'transformMap/3': { macro: 'transformMap', variables: 2, filter: false },
  'transformMap/4': { macro: 'transformMap', variables: 2, filter: true },
  'transformMapEntry/3': { macro: 'transformMapEntry', variables: 2, filter: false },
  'transformMapEntry/4': { macro: 'transformMapEntry', variables: 2, filter: true },
}

/** Undefined when the call is an ordinary one. */
export function expandMacro(
  name: string,
  target: Expr | undefined,
  args: readonly Expr[],
  offset: number,
): Expr | undefined {
  if (target === undefined) return name === 'has' ? has(args, offset) : undefined
  if (name === 'bind' && target.kind === 'ident' && target.name === 'cel' && args.length === 3) {
    const [variable, value, body] = args
    if (value === undefined || body === undefined) return undefined
    return { kind: 'bind', offset, name: variableName(variable, offset), value, body }
  }
  const shape = Object.hasOwn(shapes, `${name}/${String(args.length)}`)
    ? shapes[`${name}/${String(args.length)}`]
    : undefined
  const body = args.at(-1)
  if (shape === undefined || body === undefined) return undefined
  const variables = args.slice(0, shape.variables).map((arg) => variableName(arg, offset))
  if (variables.length === 2 && variables[0] === variables[1])
    throw new SyntaxIssue(offset, `duplicate variable name: ${variables[0] ?? ''}`)
  const filter = shape.filter ? args[shape.variables] : undefined
  return { kind: 'macro', offset, macro: shape.macro, range: target, variables, filter, body }
}

function has(args: readonly Expr[], offset: number): Expr | undefined {
  const [arg] = args
  if (args.length !== 1) return undefined
  if (arg?.kind !== 'select' || arg.optional) throw new SyntaxIssue(offset, 'invalid argument to has() macro')
  return { ...arg, test: true }
}

function variableName(arg: Expr | undefined, offset: number): string {
  if (arg?.kind !== 'ident') throw new SyntaxIssue(arg?.offset ?? offset, 'argument must be a simple name')
  return arg.name
}
