// PATCH with application/apply-patch+yaml: server-side apply, which also creates.
import { typedPath } from '../../../common/machinery/apply/typed-path.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, StatusError } from '../../../common/machinery/status.ts'
import type { UpdateStrategy } from '../../kinds/kind.ts'
import { decodeObject } from '../registry/decode.ts'
import { applyFields, fieldSchemaOf } from '../registry/field-ownership.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { updateObject, type UpdateOptions } from '../registry/update.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from './api-call.ts'
import { requireSameIdentity } from './identity.ts'
import { booleanParameter } from './list-parameters.ts'

export async function applyObject(
  call: ApiCall,
  strategy: UpdateStrategy<KubeObject> | undefined,
): Promise<CallResult> {
  const { resource, info } = call
  const { value, duplicates } = await requireBody(call)
  const problems: string[] = []
  const config = decodeObject(resource, value, {
    fieldValidation: 'Warn',
    warn: (problem) => problems.push(problem),
    partial: true,
  })
  if (problems.length > 0) throw undeclared(call, value, problems)
  reportDuplicates(call, duplicates)
  requireSameIdentity(config.metadata, resource.namespaced ? info : { namespace: '', name: info.name })
  const { object, created } = await applyConfiguration(call, { strategy, config })
  return { type: 'stored', code: created ? 201 : 200, object }
}

/** Stores what becomes of the named object when its part that `config` tells is as told. */
export async function applyConfiguration(
  call: ApiCall,
  { config, ...door }: Pick<UpdateOptions, 'strategy' | 'view'> & { readonly config: KubeObject },
): Promise<{ object: StoredObject; created: boolean }> {
  const { registry, resource, info, query } = call
  const request = writeRequestOf(call)
  const force = booleanParameter(query, 'force')
  if ((config.metadata.managedFields ?? []).length > 0) throw badRequest('metadata.managedFields must be nil')
  const apply = (live: KubeObject | undefined): KubeObject =>
    applyFields(resource, config, live, {
      request,
      subresource: info.subresource,
      now: formatTime(registry.clock.now()),
      force,
    })
  // A copy: the result shares parts with the frozen stored object, and what follows changes it in place.
  const whole = (merged: KubeObject): KubeObject =>
    decodeObject(resource, merged, { fieldValidation: 'Ignore', warn: () => undefined })
  return updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    ...door,
    change: (current) => whole(apply(current.object)),
    ...(info.subresource === '' ? { createInstead: () => call.mayCreate().then(() => whole(apply(undefined))) } : {}),
    request,
    fieldsAreTracked: true,
  })
}

/** What is applied is owned field by field: a field nobody declared cannot be, whatever the client says of validation. */
function undeclared({ resource, info }: ApiCall, value: unknown, problems: readonly string[]): StatusError {
  const { root, definitions } = fieldSchemaOf(resource)
  const messages = problems.map((problem) => {
    const path = problem.slice(problem.indexOf('"') + 1, -1)
    return `${typedPath(definitions, root, value, path)}: field not declared in schema`
  })
  const list = messages.length === 1 ? messages.join('') : `errors:\n  ${messages.join('\n  ')}`
  const subject = `${resource.namespaced ? info.namespace : ''}/${info.name}; ${resource.apiVersion}, Kind=${resource.kind.kind}`
  return new StatusError({ code: 500, message: `failed to create typed patch object (${subject}): ${list}` })
}

function reportDuplicates(call: ApiCall, duplicates: readonly string[]): void {
  const validation = fieldValidationOf(call)
  if (duplicates.length === 0 || validation === 'Ignore') return
  const problem = `error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`
  if (validation === 'Strict') throw badRequest(`error strict decoding YAML: ${problem}`)
  call.warn(problem)
}
