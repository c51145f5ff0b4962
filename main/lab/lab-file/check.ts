// What may stand in a Lab and a Machine of a lab file. The API server decides in the end; this is so that mistakes are shown with their
// line before anything is started. Pure.
import { mayNodeSetLabel } from '../../../common/machinery/node-labels.ts'

export interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly remedy: string
}

type Check = (value: unknown, path: readonly (string | number)[]) => Problem[]
type Fields = Readonly<Record<string, Check>>

const problem = (path: readonly (string | number)[], message: string, remedy: string): Problem[] => [
  { path, message, remedy },
]
const show = (value: unknown): string =>
  typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? 'nothing')

const oneOf =
  (...allowed: string[]): Check =>
  (value, path) =>
    typeof value === 'string' && allowed.includes(value)
      ? []
      : problem(
          path,
          `${show(value)} is not known`,
          `write one of: ${[...allowed, ...near(value, allowed)].slice(0, allowed.length).join(', ')}`,
        )

/** Spellings people use for what is called otherwise here. */
const otherNames: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  x86: 'amd64',
  x64: 'amd64',
  aarch64: 'arm64',
  arm: 'arm64',
  armv8: 'arm64',
}

const arch: Check = (value, path) => {
  if (value === 'amd64' || value === 'arm64') return []
  const meant = typeof value === 'string' ? otherNames[value.toLowerCase()] : undefined
  return problem(
    path,
    `${show(value)} is no architecture that a machine can have`,
    meant === undefined ? 'write amd64 or arm64' : `write ${meant}`,
  )
}

const near = (value: unknown, allowed: readonly string[]): string[] =>
  typeof value === 'string' ? allowed.filter((word) => word.toLowerCase() === value.toLowerCase()) : []

const integer =
  (min: number, max: number, unit: string, tooSmall?: string): Check =>
  (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      const quantity = typeof value === 'string' ? /^(\d+)\s*([GM]i?)B?$/i.exec(value) : null
      const mebibytes =
        quantity === null
          ? undefined
          : Number(quantity[1]) * (quantity[2]?.toLowerCase().startsWith('g') === true && unit === 'MiB' ? 1024 : 1)
      return problem(
        path,
        `${show(value)} is not a whole number`,
        mebibytes === undefined
          ? `write a whole number (${unit}) without quotes`
          : `write ${String(mebibytes)} (${unit})`,
      )
    }
    if (value < min)
      return problem(
        path,
        `${String(value)} is less than ${String(min)} ${unit}${tooSmall ?? ''}`,
        `write at least ${String(min)}`,
      )
    if (value > max)
      return problem(path, `${String(value)} is more than ${String(max)} ${unit}`, `write at most ${String(max)}`)
    return []
  }

const text: Check = (value, path) =>
  typeof value === 'string' ? [] : problem(path, `${show(value)} is not a string`, 'put it in quotes')
const flag: Check = (value, path) =>
  typeof value === 'boolean' ? [] : problem(path, `${show(value)} is neither true nor false`, 'write true or false')

const cidr: Check = (value, path) => {
  const match = typeof value === 'string' ? /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(value) : null
  const isRange =
    match !== null &&
    match.slice(1, 5).every((part) => Number(part) <= 255) &&
    Number(match[5]) >= 8 &&
    Number(match[5]) <= 24
  return isRange
    ? []
    : problem(path, `${show(value)} is not an IPv4 range between /8 and /24`, 'for example "10.77.0.0/16"')
}

const record =
  (check: Check): Check =>
  (value, path) =>
    isRecord(value)
      ? Object.entries(value).flatMap(([key, item]) => check(item, [...path, key]))
      : problem(path, `${show(value)} is not a set of fields`, 'write "name: value" lines, indented below it')

const object =
  (fields: Fields, required: readonly string[] = []): Check =>
  (value, path) => {
    if (!isRecord(value))
      return problem(path, `${show(value)} is not a set of fields`, 'write its fields indented below it')
    const missing = required.filter((name) => value[name] === undefined)
    return [
      ...missing.flatMap((name) => problem([...path, name], 'missing', `add ${name}:`)),
      ...Object.entries(value).flatMap(([name, item]) => {
        const check = fields[name]
        if (check !== undefined) return check(item, [...path, name])
        const meant = near(name, Object.keys(fields))[0] ?? closest(name, Object.keys(fields))
        return problem(
          [...path, name],
          'no such field',
          meant === undefined ? `known fields: ${Object.keys(fields).join(', ')}` : `did you mean ${meant}?`,
        )
      }),
    ]
  }

const list =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => check(item, [...path, index]))
      : problem(path, `${show(value)} is not a list`, 'write one "- …" per entry')

/** The machine's node gives them to itself. */
const nodeLabels: Check = (value, path) => [
  ...record(text)(value, path),
  ...Object.keys(isRecord(value) ? value : {})
    .filter((key) => !mayNodeSetLabel(key))
    .flatMap((key) =>
      problem(
        [...path, key],
        `${show(key)} is not a label that a node may give itself`,
        'set it with kubectl label node',
      ),
    ),
]

const machineSpec = object(
  {
    arch,
    cpus: integer(1, 16, 'CPUs'),
    memoryMiB: integer(256, 65_536, 'MiB', ', too small to boot a node'),
    diskGiB: integer(1, 1_024, 'GiB'),
    image: text,
    powerState: oneOf('Running', 'Stopped'),
    restartPolicy: oneOf('Always', 'Never'),
    labels: nodeLabels,
    taints: list(
      object({ key: text, value: text, effect: oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute') }, [
        'key',
        'effect',
      ]),
    ),
  },
  ['arch'],
)

const labSpec = object({
  powerState: oneOf('Running', 'Stopped'),
  network: object({ lanCIDR: cidr, clusterCIDR: cidr, serviceCIDR: cidr, internet: flag }),
})

/** Machine names become host names, Node names and file names. */
const machineName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export function checkMachine(value: Record<string, unknown>): Problem[] {
  const name = isRecord(value['metadata']) ? value['metadata']['name'] : undefined
  return [
    ...(typeof name === 'string' && !machineName.test(name)
      ? problem(
          ['metadata', 'name'],
          `${show(name)} cannot be a host name`,
          'use at most 63 small letters, digits and "-", beginning and ending with a letter or digit',
        )
      : []),
    ...topLevel(value),
    ...(value['spec'] === undefined
      ? problem(['spec'], 'missing', 'add spec: with at least arch: amd64 or arch: arm64')
      : machineSpec(value['spec'], ['spec'])),
  ]
}

export function checkLab(value: Record<string, unknown>): Problem[] {
  const name = isRecord(value['metadata']) ? value['metadata']['name'] : undefined
  return [
    ...(name === 'default'
      ? []
      : problem(
          ['metadata', 'name'],
          `there is one lab and it is called "default", not ${show(name)}`,
          'write name: default',
        )),
    ...topLevel(value),
    ...(value['spec'] === undefined ? [] : labSpec(value['spec'], ['spec'])),
  ]
}

const topFields = ['apiVersion', 'kind', 'metadata', 'spec', 'status']
const topLevel = (value: Record<string, unknown>): Problem[] =>
  Object.keys(value)
    .filter((key) => !topFields.includes(key))
    .flatMap((key) => problem([key], 'no such field', machineHint(key)))

const machineHint = (key: string): string =>
  ['arch', 'cpus', 'memoryMiB', 'diskGiB', 'powerState', 'labels', 'taints', 'network', 'restartPolicy'].includes(key)
    ? 'it belongs into spec: indent it below'
    : 'remove it'

/** The known word that differs by the fewest edits, when that is at most two. */
function closest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best !== undefined && (best.edits <= 2 || best.candidate.toLowerCase().startsWith(word.toLowerCase()))
    ? best.candidate
    : undefined
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      )
    }
    row = next
  }
  return row[b.length] ?? 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
