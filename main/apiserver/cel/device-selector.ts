// Whether a device is meant by a selector of dynamic resource allocation: the evaluator that the scheduler is given.
import type { ResourceV1Device } from '../../../common/api/generated/types.ts'
import { compileFor } from './environments.ts'
import type { Program } from './compile.ts'
import { requireQuantity, requireSemver } from './library/quantity.ts'
import { LiteralMap, MapValue } from './values.ts'

const use = { variables: ['device'], result: 'bool' } as const
/** Device classes are few and their selectors are asked again and again. */
const maxPrograms = 100

/** A domain of which a device says nothing is an empty map: looking into it fails later, and less often. */
class Domains extends MapValue {
  readonly #domains = new Map<string, LiteralMap>()
  get size(): number {
    return this.#domains.size
  }
  get(domain: unknown): LiteralMap {
    return (typeof domain === 'string' ? this.#domains.get(domain) : undefined) ?? new LiteralMap()
  }
  keys(): Iterable<string> {
    return this.#domains.keys()
  }
  /** Names without a domain are in the driver's own. */
  set(name: string, driver: string, value: unknown): void {
    const slash = name.indexOf('/')
    const domain = slash < 0 ? driver : name.slice(0, slash)
    const known = this.#domains.get(domain) ?? new LiteralMap()
    known.set(name.slice(slash + 1), value)
    this.#domains.set(domain, known)
  }
}

/** The function throws an Error for a person when the expression cannot be compiled, or fails on the device. */
export function newDeviceSelector(): (expression: string, driver: string, device: ResourceV1Device) => boolean {
  const programs = new Map<string, Program>()
  const programOf = (expression: string): Program => {
    const known = programs.get(expression)
    if (known !== undefined) return known
    if (programs.size >= maxPrograms) programs.clear()
    try {
      const program = compileFor(expression, use)
      programs.set(expression, program)
      return program
    } catch (error) {
      throw new Error(`CEL compile error: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  return (expression, driver, device) => {
    const program = programOf(expression)
    try {
      return program.run({ device: valueOf(driver, device) }) === true
    } catch (error) {
      throw new Error(`CEL runtime error: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}

function valueOf(
  driver: string,
  { attributes = {}, capacity = {}, allowMultipleAllocations }: ResourceV1Device,
): MapValue {
  const attributeValues = new Domains()
  for (const [name, attribute] of Object.entries(attributes)) {
    const { bool, int, string, version } = attribute
    const value = bool ?? string ?? (int === undefined ? undefined : BigInt(int))
    attributeValues.set(name, driver, value ?? requireSemver(version ?? ''))
  }
  const capacityValues = new Domains()
  for (const [name, { value }] of Object.entries(capacity))
    capacityValues.set(name, driver, requireQuantity(String(value)))
  const device = new LiteralMap()
  device.set('driver', driver)
  device.set('allowMultipleAllocations', allowMultipleAllocations ?? false)
  device.set('attributes', attributeValues)
  device.set('capacity', capacityValues)
  return device
}
