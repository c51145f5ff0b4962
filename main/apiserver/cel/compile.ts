// The door to CEL: text in, program out. Programs are safe to run on anything a client sends: each run has a budget.
import { check, type Checked, type Declarations } from './checking/checker.ts'
import { fits } from './checking/unify.ts'
import { Budget } from './running/budget.ts'
import { build } from './running/evaluate.ts'
import { RootFrame } from './running/frame.ts'
import type { Expr } from './syntax/ast.ts'
import { CompileError, SyntaxIssue } from './syntax/issue.ts'
import { parse } from './syntax/parser.ts'
import { type CelType, typeName } from './types.ts'
import { CelError } from './values.ts'

export interface Program {
  readonly source: string
  readonly checked: Checked
  /** The value; throws CelError when the evaluation fails and CostExceeded when its budget is used up. */
  run(variables: Readonly<Record<string, unknown>>, budget?: Budget): unknown
}

/** Longer texts are refused before they are read. */
export const maxSourceLength = 100_000

/** Throws CompileError. `result` are the types the expression may have; any when absent. */
export function compile(source: string, declarations: Declarations, result?: readonly CelType[]): Program {
  let expr: Expr
  try {
    if (source.length > maxSourceLength)
      throw new SyntaxIssue(
        0,
        `expression code point size exceeds limit: size: ${String(source.length)}, limit ${String(maxSourceLength)}`,
      )
    expr = parse(source)
  } catch (error) {
    if (error instanceof SyntaxIssue) throw new CompileError(source, [{ offset: error.offset, message: error.message }])
    throw error
  }
  const checked = check(expr, declarations)
  if (checked.issues.length > 0) throw new CompileError(source, checked.issues)
  if (result !== undefined && !result.some((type) => fits(checked.type, type, new Map())))
    throw new WrongResult(checked.type, result)
  const run = build(expr, checked)
  return {
    source,
    checked,
    run: (variables, budget = new Budget()) => {
      try {
        return run(new RootFrame(variables, budget))
      } catch (error) {
        // Values deeper than the stack: only hostile ones are.
        if (error instanceof RangeError) throw new CelError(error.message)
        throw error
      }
    },
  }
}

/** The expression is right but gives another type than is asked for. */
export class WrongResult extends Error {
  readonly type: CelType
  constructor(type: CelType, wanted: readonly CelType[]) {
    super(
      wanted.length === 1
        ? `must evaluate to ${wanted.map(typeName).join('')}`
        : `must evaluate to one of [${wanted.map(typeName).join(' ')}]`,
    )
    this.type = type
  }
}

export { Budget, CelError, CompileError }
export { CostExceeded } from './values.ts'
