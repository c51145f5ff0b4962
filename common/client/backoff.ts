// Exponential back-off with jitter, one instance per thing that is retried.

export interface BackoffOptions {
  baseMs: number
  maxMs: number
  /** Part of each delay that is random: 0.5 means between 50 % and 100 % of the exponential value. Default 0.5. */
  jitter?: number
  /** 0 <= value < 1. */
  random?: () => number
}

export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  get failures(): number {
    return this.#failures
  }

  /** The delay before the next try, in ms. */
  next(): number {
    const { baseMs, maxMs, jitter = 0.5, random = Math.random } = this.#options
    const full = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 40))
    this.#failures++
    return full * (1 - jitter + jitter * random())
  }

  reset(): void {
    this.#failures = 0
  }
}
