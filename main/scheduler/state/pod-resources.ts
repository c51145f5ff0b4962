// What a pod asks of a node, in numbers that can be added up: cpu in millicores, everything else in whole units (bytes, counts).
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import { quantityToBytes, quantityToMillis } from '../../../common/machinery/quantity.ts'

export interface Resources {
  cpuMillis: number
  memory: number
  ephemeralStorage: number
  /** Extended resources and huge pages by name. */
  others: ReadonlyMap<string, number>
}

const noOthers: ReadonlyMap<string, number> = new Map()
export const noResources: Resources = { cpuMillis: 0, memory: 0, ephemeralStorage: 0, others: noOthers }

/** Used in scoring for containers that ask for nothing, so that they still count (upstream's numbers). */
export const defaultCpuMillis = 100
export const defaultMemory = 200 * 1024 * 1024

type Quantities = Readonly<Record<string, string | number>>

// Few distinct quantities exist; parsing each once keeps BigInt arithmetic out of the scheduling path.
const parsed = new Map<string, number>()
function amount(name: string, quantity: string | number): number {
  const key = name === 'cpu' ? `c${String(quantity)}` : String(quantity)
  let value = parsed.get(key)
  if (value === undefined) {
    if (parsed.size > 10_000) parsed.clear()
    value = name === 'cpu' ? quantityToMillis(quantity) : quantityToBytes(quantity)
    parsed.set(key, value)
  }
  return value
}

export function toResources(quantities: Quantities | undefined): Resources {
  const entries = Object.entries(quantities ?? {})
  if (entries.length === 0) return noResources
  let cpuMillis = 0
  let memory = 0
  let ephemeralStorage = 0
  let others: Map<string, number> | undefined
  for (const [name, quantity] of entries) {
    const value = amount(name, quantity)
    if (name === 'cpu') cpuMillis = value
    else if (name === 'memory') memory = value
    else if (name === 'ephemeral-storage') ephemeralStorage = value
    else if (name !== 'pods') (others ??= new Map()).set(name, value)
  }
  return { cpuMillis, memory, ephemeralStorage, others: others ?? noOthers }
}

export function plus(a: Resources, b: Resources): Resources {
  return combine(a, b, (x, y) => x + y)
}

export function minus(a: Resources, b: Resources): Resources {
  return combine(a, b, (x, y) => x - y)
}

const atLeast = (a: Resources, b: Resources): Resources => combine(a, b, Math.max)

function combine(a: Resources, b: Resources, of: (x: number, y: number) => number): Resources {
  return {
    cpuMillis: of(a.cpuMillis, b.cpuMillis),
    memory: of(a.memory, b.memory),
    ephemeralStorage: of(a.ephemeralStorage, b.ephemeralStorage),
    others: combineOthers(a.others, b.others, of),
  }
}

function combineOthers(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  of: (x: number, y: number) => number,
): ReadonlyMap<string, number> {
  if (b.size === 0) return a
  const result = new Map(a)
  for (const [name, value] of b) result.set(name, of(a.get(name) ?? 0, value))
  return result
}

const requestsOf = (container: Container): Resources => toResources(container.resources?.requests)

type Allocations = ReadonlyMap<string, Quantities[]>

/**
 * What containers have while they are being resized: until the node has taken something away it is not free. By container name; a
 * container that was never resized has what it asks for.
 */
export function allocationsOf({ status }: Pod): Allocations {
  const found = new Map<string, Quantities[]>()
  for (const { name, resources, allocatedResources } of [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
  ]) {
    if (resources === undefined) continue
    found.set(name, [resources.requests ?? {}, allocatedResources ?? {}])
  }
  return found
}

/** What cannot be had on the node is not counted as asked for. */
const isInfeasible = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible') === true

/** The container as it counts: with the most of what it asks for and what it has. */
function counted(container: Container, allocations: Allocations, infeasible: boolean): Container {
  const had = allocations.get(container.name)
  if (had === undefined) return container
  const all = [...(infeasible ? [] : [container.resources?.requests ?? {}]), ...had]
  const requests: Record<string, string | number> = {}
  for (const quantities of all)
    for (const [name, quantity] of Object.entries(quantities)) {
      const known = requests[name]
      if (known === undefined || amount(name, quantity) > amount(name, known)) requests[name] = quantity
    }
  return { ...container, resources: { ...container.resources, requests } }
}

function nonZero(container: Container): Resources {
  const requests = container.resources?.requests
  const base = toResources(requests)
  if (requests?.['cpu'] !== undefined && requests['memory'] !== undefined) return base
  return {
    ...base,
    cpuMillis: requests?.['cpu'] === undefined ? defaultCpuMillis : base.cpuMillis,
    memory: requests?.['memory'] === undefined ? defaultMemory : base.memory,
  }
}

/** The most that the pod needs at any time of its life: containers together, or one init container with the sidecars started before it. */
function peak({ spec }: Pick<Pod, 'spec'>, of: (container: Container) => Resources): Resources {
  let sum = noResources
  for (const container of spec?.containers ?? []) sum = plus(sum, of(container))
  let sidecars = noResources
  let initPeak = noResources
  for (const container of spec?.initContainers ?? []) {
    const own = of(container)
    if (container.restartPolicy === 'Always') {
      sum = plus(sum, own)
      sidecars = plus(sidecars, own)
      initPeak = atLeast(initPeak, sidecars)
    } else initPeak = atLeast(initPeak, plus(sidecars, own))
  }
  return atLeast(sum, initPeak)
}

/** `requests` decide whether the pod fits; `scoring` is what it counts as when nodes are compared. */
export function podResources(pod: Pod): { requests: Resources; scoring: Resources } {
  const now = { spec: withAllocations(pod) }
  let requests = peak(now, requestsOf)
  let scoring = peak(now, nonZero)
  // Requests of the pod as a whole replace the sums of its containers.
  const whole = pod.spec?.resources?.requests
  if (whole !== undefined) {
    requests = override(requests, whole)
    scoring = override(scoring, whole)
  }
  if (pod.spec?.overhead !== undefined) {
    const overhead = toResources(pod.spec.overhead)
    requests = plus(requests, overhead)
    scoring = plus(scoring, overhead)
  }
  return { requests, scoring }
}

function withAllocations(pod: Pod): Pod['spec'] {
  const allocations = allocationsOf(pod)
  const { spec } = pod
  if (allocations.size === 0 || spec === undefined) return spec
  const infeasible = isInfeasible(pod)
  const count = (container: Container): Container => counted(container, allocations, infeasible)
  return {
    ...spec,
    containers: spec.containers.map(count),
    initContainers: spec.initContainers?.map((init) => (init.restartPolicy === 'Always' ? count(init) : init)),
  }
}

function override(resources: Resources, whole: Quantities): Resources {
  const given = toResources(whole)
  return {
    cpuMillis: whole['cpu'] === undefined ? resources.cpuMillis : given.cpuMillis,
    memory: whole['memory'] === undefined ? resources.memory : given.memory,
    ephemeralStorage: resources.ephemeralStorage,
    others: given.others.size === 0 ? resources.others : new Map([...resources.others, ...given.others]),
  }
}
