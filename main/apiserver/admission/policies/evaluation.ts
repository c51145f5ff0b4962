// One evaluation of a policy: its variables, computed when they are looked at, and its budget.
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import { Budget, perRequestLimit } from '../../cel/running/budget.ts'
import { dyn } from '../../cel/types.ts'
import { CelError, CostExceeded, fromJson, MapValue } from '../../cel/values.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { expressionVariables } from '../expression-variables.ts'
import type { Compiled, CompiledPolicy } from './compiled.ts'

export class Evaluation {
  readonly #budget = new Budget(perRequestLimit)
  readonly #values: Record<string, unknown>

  constructor(
    { variables }: CompiledPolicy,
    attributes: AdmissionAttributes,
    options: {
      readonly matched: ServedResource
      readonly authorizer: Authorizer
      readonly param: KubeObject | undefined
    },
  ) {
    const { param } = options
    this.#values = {
      ...expressionVariables(attributes, options),
      params: param === undefined ? null : fromJson(param, dyn),
    }
    this.#values['variables'] = new LazyVariables(
      new Map(variables.map(({ name, program }) => [name, () => this.#run(program)])),
    )
  }

  /** For match conditions, which see the parameters too. */
  get variables(): Readonly<Record<string, unknown>> {
    return this.#values
  }

  /** The value of an expression; throws an Error that reads as upstream's. */
  run(source: string, program: Compiled): unknown {
    try {
      return this.#run(program)
    } catch (error) {
      if (error instanceof CostExceeded)
        throw new Error(
          'validation failed due to running out of cost budget, no further validation rules will be run',
          { cause: error },
        )
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(
        program instanceof Error ? `compilation error: ${why}` : `expression '${source}' resulted in error: ${why}`,
        { cause: error },
      )
    }
  }

  #run(program: Compiled): unknown {
    if (program instanceof Error) throw program
    return program.run(this.#values, this.#budget)
  }
}

/** `variables`: each computed once, when an expression first asks for it. */
class LazyVariables extends MapValue {
  readonly #compute: ReadonlyMap<string, () => unknown>
  readonly #done = new Map<string, unknown>()

  constructor(compute: ReadonlyMap<string, () => unknown>) {
    super()
    this.#compute = compute
  }
  get size(): number {
    return this.#compute.size
  }
  keys(): Iterable<string> {
    return this.#compute.keys()
  }
  get(key: unknown): unknown {
    const name = String(key)
    if (this.#done.has(name)) return this.#done.get(name)
    const compute = this.#compute.get(name)
    if (compute === undefined) return undefined
    try {
      const value = compute()
      this.#done.set(name, value)
      return value
    } catch (error) {
      if (error instanceof CostExceeded) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${why}`)
    }
  }
}
