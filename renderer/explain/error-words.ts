// API failures in words a person can act on.
import { StatusError } from '../../common/machinery/status.ts'
import { ConnectionError } from '../../common/client/transport.ts'

export interface ErrorWords {
  message: string
  /** "path: message" of each wrong field. */
  causes: string[]
  remedy?: string
}

export function errorWords(error: unknown): ErrorWords {
  if (error instanceof StatusError) {
    const causes = (error.status.details?.causes ?? []).map((cause) =>
      [cause.field, cause.message].filter((part) => part !== undefined && part !== '').join(': '),
    )
    const remedy = remedies[error.reason]
    return { message: wrongType(error.message) ?? error.message, causes, ...(remedy === undefined ? {} : { remedy }) }
  }
  if (error instanceof ConnectionError) {
    return {
      message: 'The engine could not be reached.',
      causes: [],
      remedy: 'The window keeps trying; nothing was lost. If it stays away, run "orrery status" in a terminal.',
    }
  }
  return { message: error instanceof Error ? error.message : String(error), causes: [] }
}

/** "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32", as Kubernetes' decoder says it. */
function wrongType(message: string): string | undefined {
  const match = /cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type (\S+)/.exec(message)
  if (match === null) return undefined
  const [, given = '', path = '', wanted = ''] = match
  return `${path} must be ${wantedTypes.find(([type]) => type.test(wanted))?.[1] ?? `a ${wanted}`}, not ${given === 'object' || given === 'array' ? 'an' : 'a'} ${given}.`
}

const wantedTypes: readonly [RegExp, string][] = [
  [/^\[\]/, 'a list'],
  [/^map\[/, 'a map of names to values'],
  [/^u?int/, 'a whole number'],
  [/^float/, 'a number'],
  [/^bool$/, 'true or false'],
  [/^string$/, 'text (put it in quotes)'],
]

const remedies: Readonly<Record<string, string>> = {
  Conflict: 'Someone or something changed it in the meantime. Load the newest version and make the change again.',
  AlreadyExists: 'Choose another name, or delete the one that is there.',
  Forbidden: 'The signed-in user has no role that allows this.',
  NotFound: 'It may have been deleted while this page was open.',
  ServiceUnavailable: 'The node or the engine is not ready for this yet; try again in a moment.',
  Timeout: 'Try again; if it repeats, look at "orrery logs".',
}

/** Field errors by path, for showing each beside its field. */
export function fieldErrors(error: unknown): Map<string, string> {
  const found = new Map<string, string>()
  if (!(error instanceof StatusError)) return found
  for (const cause of error.status.details?.causes ?? []) {
    if (cause.field === undefined || cause.field === '' || cause.field === '<nil>') continue
    const known = found.get(cause.field)
    const message = cause.message ?? cause.reason ?? 'is wrong'
    found.set(cause.field, known === undefined ? message : `${known}; ${message}`)
  }
  return found
}

/** The server's complaint without what the form shows anyway: the value, the example and the regular expression. */
export function plainComplaint(message: string): string {
  const bare = message
    .replace(/^(?:Invalid|Unsupported) value: (?:"(?:[^"\\]|\\.)*"|\S+): /, '')
    .replace(/^Required value(?:: )?/, 'Needed: ')
    .replace(/ \(e\.g\. .*$/s, '')
    .replace(/^Needed: $/, 'Needed')
  return `${bare.charAt(0).toUpperCase()}${bare.slice(1)}${/[.!?]$/.test(bare) ? '' : '.'}`
}
