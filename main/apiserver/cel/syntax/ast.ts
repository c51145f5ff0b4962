// The tree of a CEL expression after parsing: operators are calls under their CEL names ("_==_"), macros are nodes of their own.

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export type Literal = string | bigint | number | boolean | null | Uint8Array | Uint

export type Macro =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'map'
  | 'filter'
  | 'sortBy'
  | 'optMap'
  | 'optFlatMap'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'

export type Expr = { readonly offset: number } & (
  | { readonly kind: 'literal'; readonly value: Literal }
  | { readonly kind: 'ident'; readonly name: string }
  /** `test`: has(operand.field). `optional`: operand.?field */
  | {
      readonly kind: 'select'
      readonly operand: Expr
      readonly field: string
      readonly optional: boolean
      readonly test: boolean
    }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly target: Expr | undefined
      readonly args: readonly Expr[]
    }
  | { readonly kind: 'list'; readonly items: readonly { readonly value: Expr; readonly optional: boolean }[] }
  | { readonly kind: 'map'; readonly entries: readonly MapEntry[] }
  | { readonly kind: 'struct'; readonly type: string; readonly fields: readonly StructField[] }
  | MacroExpr
  | { readonly kind: 'bind'; readonly name: string; readonly value: Expr; readonly body: Expr }
)

export interface MapEntry {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}
export interface StructField {
  readonly name: string
  readonly value: Expr
  readonly optional: boolean
  readonly offset: number
}

/** `range` is walked with one variable (element or key) or two (index or key, and value); `filter` decides what counts. */
export interface MacroExpr {
  readonly kind: 'macro'
  readonly offset: number
  readonly macro: Macro
  readonly range: Expr
  readonly variables: readonly string[]
  readonly filter: Expr | undefined
  readonly body: Expr
}
