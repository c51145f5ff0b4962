// What an evaluation may cost, in cel-go's units: about one for every step, a tenth for every character walked.
import { CostExceeded } from '../values.ts'

/** Of one expression. */
export const perCallLimit = 1_000_000
/** Of all expressions of one request. */
export const perRequestLimit = 10_000_000

/** Units are no clock: what takes longer than this all the same is stopped too. */
const maxMs = 1000
/** Looking at the clock costs more than a step. */
const stepsPerLook = 256

/** When evaluations that begin now have to be done. */
export const newDeadline = (): number => performance.now() + maxMs

export class Budget {
  readonly #limit: number
  readonly #deadline: number
  #spent = 0
  #steps = 0

  constructor(limit: number = perCallLimit, deadline: number = newDeadline()) {
    this.#limit = limit
    this.#deadline = deadline
  }

  get spent(): number {
    return this.#spent
  }

  /** Throws CostExceeded when nothing is left. */
  spend(cost: number): void {
    this.#spent += cost
    if (this.#spent > this.#limit) throw new CostExceeded()
    this.#steps += 1
    if (this.#steps % stepsPerLook === 0 && performance.now() > this.#deadline) throw new CostExceeded()
  }
}
