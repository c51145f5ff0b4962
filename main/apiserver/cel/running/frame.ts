// What a running expression sees: variables by name, and the budget of the run.
import type { Budget } from './budget.ts'

/** Variables by name; inner scopes shadow outer ones. */
export interface Frame {
  readonly budget: Budget
  get(name: string): unknown
}
export type Run = (frame: Frame) => unknown

export class RootFrame implements Frame {
  readonly budget: Budget
  readonly #variables: Readonly<Record<string, unknown>>
  constructor(variables: Readonly<Record<string, unknown>>, budget: Budget) {
    this.#variables = variables
    this.budget = budget
  }
  get(name: string): unknown {
    return Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined
  }
}

export class ScopeFrame implements Frame {
  readonly budget: Budget
  readonly #outer: Frame
  readonly #name: string
  value: unknown
  constructor(outer: Frame, name: string, value?: unknown) {
    this.budget = outer.budget
    this.#outer = outer
    this.#name = name
    this.value = value
  }
  get(name: string): unknown {
    return name === this.#name ? this.value : this.#outer.get(name)
  }
}
