// Constraints of a claim over its devices: all of them have one value of an attribute, or each has another.
import type { ResourceV1DeviceConstraint } from '../../../common/api/generated/types.ts'
import type { OfferedDevice } from './pools.ts'

export class Constraint {
  readonly #requests: ReadonlySet<string>
  readonly #attribute: string
  readonly #distinct: boolean
  /** Of the devices chosen so far. */
  readonly #values: string[] = []

  constructor({ requests = [], matchAttribute, distinctAttribute }: ResourceV1DeviceConstraint) {
    this.#requests = new Set(requests)
    this.#attribute = matchAttribute ?? distinctAttribute ?? ''
    this.#distinct = matchAttribute === undefined
  }

  /** `names` are those by which the request can be meant. False: the device does not go with the others. */
  add(names: readonly string[], offered: OfferedDevice): boolean {
    if (!this.#concerns(names)) return true
    const value = attributeOf(offered, this.#attribute)
    if (value === undefined) return false
    const fits = this.#distinct ? !this.#values.includes(value) : this.#values.length === 0 || this.#values[0] === value
    if (fits) this.#values.push(value)
    return fits
  }

  /** Of the device that was added last. */
  remove(names: readonly string[]): void {
    if (this.#concerns(names)) this.#values.pop()
  }

  #concerns(names: readonly string[]): boolean {
    return this.#requests.size === 0 || names.some((name) => this.#requests.has(name))
  }
}

/** The value with its type as a text; an attribute of the driver's own domain may be written without it. */
function attributeOf({ driver, device }: OfferedDevice, name: string): string | undefined {
  const short = name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : undefined
  const found = device.attributes?.[name] ?? (short === undefined ? undefined : device.attributes?.[short])
  return found === undefined ? undefined : JSON.stringify([found.string, found.int, found.bool, found.version])
}
