// The options of a stream as an object: what admission of a CONNECT is about, read from the URL and written back into it.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { booleanParameter } from '../routes/list-parameters.ts'
import type { WriteRequest } from '../registry/context.ts'
import type { Connect, ConnectCall } from './connect-table.ts'

type Field = 'flag' | 'text' | 'texts' | 'numbers' | 'path'
type Options = Record<string, unknown>

const remote = { stdin: 'flag', stdout: 'flag', stderr: 'flag', tty: 'flag', container: 'text' } as const

/** Fields by kind; streams of other kinds are not admitted. */
const fieldsOf: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  PodExecOptions: { ...remote, command: 'texts' },
  PodAttachOptions: remote,
  PodPortForwardOptions: { ports: 'numbers' },
  PodProxyOptions: { path: 'path' },
  ServiceProxyOptions: { path: 'path' },
  NodeProxyOptions: { path: 'path' },
}

/** Asks admission; the call as it may go on. Throws StatusError to refuse. */
export async function admitConnect<Call extends ConnectCall>(
  call: Call,
  { info: { kind } }: Connect,
  notes: Pick<WriteRequest, 'warn' | 'audit'>,
): Promise<Call> {
  const fields = fieldsOf[kind]
  if (fields === undefined) return call
  const { info, user, resource, registry } = call
  const objectType = { apiVersion: 'v1', kind }
  const options: Options = { ...objectType, ...readOptions(fields, call) }
  const attributes = {
    operation: 'CONNECT' as const,
    resource,
    resourceName: resource.name,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    // Options have no metadata; whoever looks at objects of any type knows that.
    object: options as unknown as KubeObject,
    old: undefined,
    objectType,
    request: { user, dryRun: false, fieldManager: '', ...notes },
    registry,
  }
  const changed = await registry.admission.mutate(attributes)
  await registry.admission.validate(attributes)
  return changed ? { ...call, ...writeOptions(fields, options, call) } : call
}

function readOptions(fields: Readonly<Record<string, Field>>, { query, info }: ConnectCall): Options {
  const options: Options = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = readField(field, name, query, info.rest)
    if (value !== undefined) options[name] = value
  }
  return options
}

/** Undefined: left out, as it is empty. */
function readField(field: Field, name: string, query: URLSearchParams, rest: string): unknown {
  switch (field) {
    case 'flag':
      return booleanParameter(query, name) || undefined
    case 'text':
      return query.get(name) || undefined
    case 'texts':
      return query.getAll(name)
    case 'numbers': {
      const numbers = query.getAll(name).flatMap((text) => text.split(',').map(Number))
      return numbers.length === 0 ? undefined : numbers
    }
    case 'path':
      return rest || undefined
  }
}

function writeOptions(
  fields: Readonly<Record<string, Field>>,
  options: Options,
  { query, info }: ConnectCall,
): Pick<ConnectCall, 'query' | 'info'> {
  const changed = new URLSearchParams([...query.entries()].filter(([name]) => !Object.hasOwn(fields, name)))
  let { rest } = info
  for (const [name, field] of Object.entries(fields)) {
    const value = options[name]
    if (field === 'path') {
      rest = typeof value === 'string' ? value : ''
      continue
    }
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) changed.append(name, String(one))
  }
  return { query: changed, info: { ...info, rest } }
}
