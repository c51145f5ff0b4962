// What an evaluation may cost, in cel-go's units: about one for every step, a tenth for every character walked.
import { CostExceeded } from '../values.ts'

/** Of one expression. */
export const perCallLimit = 1_000_000
/** Of all expressions of one request. */
export const perRequestLimit = 10_000_000

export class Budget {
  readonly #limit: number
  #spent = 0

  constructor(limit: number = perCallLimit) {
    this.#limit = limit
  }

  get spent(): number {
    return this.#spent
  }

  /** Throws CostExceeded when nothing is left. */
  spend(cost: number): void {
    this.#spent += cost
    if (this.#spent > this.#limit) throw new CostExceeded()
  }
}
