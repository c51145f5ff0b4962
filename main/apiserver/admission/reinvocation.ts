// reinvocationPolicy IfNeeded: what was asked about an object and wants to be asked again when others changed it afterwards. Kept for
// the one request between its first and its second round.
import type { AdmissionAttributes } from './admission.ts'

export class Reinvocation<Asked extends object> {
  readonly #due = new Map<Asked, boolean>()
  #left = ''

  /** At the start of the second round: whoever changed the object since the first, all want to see it. */
  resume({ object }: AdmissionAttributes): void {
    if (JSON.stringify(object) !== this.#left) this.objectChanged()
  }

  isDue(asked: Asked): boolean {
    return this.#due.get(asked) === true
  }

  /** All that were asked before have not seen the object as it is now. */
  objectChanged(): void {
    for (const asked of this.#due.keys()) this.#due.set(asked, true)
  }

  wantsToSeeChanges(asked: Asked): void {
    this.#due.set(asked, false)
  }

  /** At the end of the first round. */
  pause({ object }: AdmissionAttributes): void {
    if (this.#due.size > 0) this.#left = JSON.stringify(object)
  }
}

/** The reinvocations of the requests now under way, for one plugin. */
export class Reinvocations<Asked extends object> {
  readonly #byRequest = new WeakMap<AdmissionAttributes, Reinvocation<Asked>>()

  begin(attributes: AdmissionAttributes): Reinvocation<Asked> {
    const begun = new Reinvocation<Asked>()
    this.#byRequest.set(attributes, begun)
    return begun
  }

  /** Undefined when nobody was asked in the first round. */
  resume(attributes: AdmissionAttributes): Reinvocation<Asked> | undefined {
    const resumed = this.#byRequest.get(attributes)
    resumed?.resume(attributes)
    return resumed
  }
}
