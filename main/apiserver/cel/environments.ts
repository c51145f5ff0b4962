// What expressions of the API's own fields may use: the variables of admission requests, and how a field's expression is checked
// when its object is written.
import type { ExpressionUse } from '../../kinds/kind.ts'
import { compile, CompileError, type Program, WrongResult } from './compile.ts'
import { kubernetesFunctions } from './library/index.ts'
import { bool, type CelType, dyn, int, listOf, mapOf, type ObjectType, opaque, string } from './types.ts'

const object = (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
  kind: 'object',
  name,
  fields: new Map(Object.entries(fields)),
})

const groupVersionKind = object('kubernetes.GroupVersionKind', { group: string, version: string, kind: string })
const groupVersionResource = object('kubernetes.GroupVersionResource', {
  group: string,
  version: string,
  resource: string,
})
export const userInfo = object('kubernetes.UserInfo', {
  username: string,
  uid: string,
  groups: listOf(string),
  extra: mapOf(string, listOf(string)),
})

/** `request` of policies and match conditions: an AdmissionRequest without its objects. */
export const requestType = object('kubernetes.AdmissionRequest', {
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: string,
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo,
  dryRun: bool,
  options: dyn,
})

const metadata = object('kubernetes.NamespaceMetadata', {
  name: string,
  generateName: string,
  namespace: string,
  labels: mapOf(string, string),
  annotations: mapOf(string, string),
  UID: string,
  creationTimestamp: { kind: 'timestamp' },
  deletionGracePeriodSeconds: int,
  deletionTimestamp: { kind: 'timestamp' },
  generation: int,
  resourceVersion: string,
  finalizers: listOf(string),
})
export const namespaceType = object('kubernetes.Namespace', {
  metadata,
  spec: object('kubernetes.NamespaceSpec', { finalizers: listOf(string) }),
  status: object('kubernetes.NamespaceStatus', { phase: string }),
})

/** Attributes of a device, as selectors of dynamic resource allocation see it. */
const deviceType = object('kubernetes.DRADevice', {
  driver: string,
  attributes: mapOf(string, mapOf(string, dyn)),
  capacity: mapOf(string, mapOf(string, opaque('kubernetes.Quantity'))),
  allowMultipleAllocations: bool,
})

const known: Readonly<Record<string, CelType>> = {
  object: dyn,
  oldObject: dyn,
  params: dyn,
  request: requestType,
  namespaceObject: namespaceType,
  authorizer: opaque('kubernetes.authorization.Authorizer'),
  'authorizer.requestResource': opaque('kubernetes.authorization.ResourceCheck'),
  device: deviceType,
  claims: dyn,
  user: userInfo,
}

/** Any field of any type: for objects whose schema depends on the request. */
class AnyField extends Map<string, CelType> {
  override get(): CelType {
    return dyn
  }
}
const jsonPatch = object('JSONPatch', { op: string, path: string, from: string, value: dyn })

/** "Object{…}" and "Object.spec{…}" of apply configurations, "JSONPatch{…}" of patches. */
function mutationTypes(name: string): ObjectType | undefined {
  if (name === 'JSONPatch') return jsonPatch
  return /^Object(?:\.\w+)*$/.test(name) ? { kind: 'object', name, fields: new AnyField() } : undefined
}

const resultTypes: Readonly<Record<string, readonly CelType[]>> = {
  bool: [bool],
  string: [string],
  'string-or-null': [string, { kind: 'null' }],
  'apply-configuration': [{ kind: 'object', name: 'Object', fields: new Map() }],
  'json-patch': [listOf(jsonPatch)],
}

/** Types of variables where more is known of them than where expressions are checked in general. */
export interface KnownTypes {
  readonly types: ReadonlyMap<string, CelType>
  /** Of what is under `variables`. */
  readonly composed: ReadonlyMap<string, CelType>
}

/** Throws CompileError or WrongResult. */
export function compileFor(source: string, use: ExpressionUse, given?: KnownTypes): Program {
  const composed = given?.composed ?? new Map((use.composed ?? []).map((name) => [name, dyn]))
  const variables = new Map<string, CelType>()
  for (const name of use.variables) {
    if (name === 'variables') variables.set(name, object('kubernetes.variables', Object.fromEntries(composed)))
    else variables.set(name, given?.types.get(name) ?? known[name] ?? dyn)
  }
  return compile(source, { variables, functions: kubernetesFunctions, structs: mutationTypes }, resultTypes[use.result])
}

/** What is wrong with an expression, in upstream's words; undefined when it compiles. */
export function checkExpression(source: string, use: ExpressionUse): string | undefined {
  try {
    compileFor(source, use)
    return undefined
  } catch (error) {
    if (error instanceof CompileError) return `compilation failed: ${error.message}`
    if (error instanceof WrongResult) return error.message
    throw error
  }
}
