// Refusals: code, reason and words of the Status that upstream answers with.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, type CallOptions, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
  await api.post(maps, { metadata: { name: 'here' }, data: { a: 'b' } })
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const maps = '/api/v1/namespaces/default/configmaps'
const json = (body: unknown, headers: Record<string, string> = {}): CallOptions => ({ body, headers })
const missing = 'the server could not find the requested resource'
const notRouted = 'the server does not allow this method on the requested resource'
const formats = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const patchFormats =
  'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml'
const unknownFormat = 'the body of the request was in an unknown format - accepted media types include: '

type Case = [
  what: string,
  method: string,
  path: string,
  options: CallOptions,
  code: number,
  reason: string,
  message: string | RegExp,
]

const cases: Case[] = [
  ['unknown resource', 'GET', '/api/v1/nothings', {}, 404, 'NotFound', missing],
  ['unknown subresource', 'GET', `${maps}/here/nothing`, {}, 404, 'NotFound', missing],
  ['object outside its namespace', 'GET', '/api/v1/configmaps/here', {}, 404, 'NotFound', missing],
  ['unknown object', 'GET', `${maps}/none`, {}, 404, 'NotFound', 'configmaps "none" not found'],
  [
    'unknown object of a group',
    'GET',
    '/apis/apps/v1/namespaces/default/deployments/none',
    {},
    404,
    'NotFound',
    'deployments.apps "none" not found',
  ],
  ['create without a namespace', 'POST', '/api/v1/configmaps', json({}), 405, 'MethodNotAllowed', notRouted],
  ['create with a name in the path', 'POST', `${maps}/here`, json({}), 405, 'MethodNotAllowed', notRouted],
  ['update of a collection', 'PUT', maps, json({}), 405, 'MethodNotAllowed', notRouted],
  ['patch of a collection', 'PATCH', maps, json({}), 405, 'MethodNotAllowed', notRouted],
  [
    'create of what only reviews',
    'GET',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {},
    405,
    'MethodNotAllowed',
    notRouted,
  ],
  [
    'unknown encoding',
    'POST',
    maps,
    json('{}', { 'content-type': 'text/plain' }),
    415,
    'UnsupportedMediaType',
    unknownFormat + formats,
  ],
  ['unknown patch', 'PATCH', `${maps}/here`, json('{}'), 415, 'UnsupportedMediaType', unknownFormat + patchFormats],
  [
    'unknown answer format',
    'GET',
    maps,
    { headers: { accept: 'text/html' } },
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${formats}`,
  ],
  [
    'empty body',
    'POST',
    maps,
    json(''),
    400,
    'BadRequest',
    /^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version\/kind; json parse error: unexpected end of JSON input \(<empty>\)$/,
  ],
  [
    'half a body',
    'POST',
    maps,
    json('{"a'),
    400,
    'BadRequest',
    /couldn't get version\/kind; json parse error: unexpected end of JSON input/,
  ],
  [
    'a list for an object',
    'POST',
    maps,
    json('[]'),
    400,
    'BadRequest',
    /json: cannot unmarshal array into Go value of type struct/,
  ],
  [
    'other kind',
    'POST',
    maps,
    json({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }),
    400,
    'BadRequest',
    /^Secret in version "v1" cannot be handled as a ConfigMap: /,
  ],
  [
    'other version',
    'POST',
    maps,
    json({ apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } }),
    400,
    'BadRequest',
    'the API version in the data (v2) does not match the expected API version (v1)',
  ],
  [
    'wrong type of a field',
    'POST',
    maps,
    json({ metadata: { name: 'x' }, data: { a: 1 } }),
    400,
    'BadRequest',
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  ],
  [
    'no name',
    'POST',
    maps,
    json({}),
    422,
    'Invalid',
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  ],
  [
    'other namespace',
    'POST',
    maps,
    json({ metadata: { name: 'x', namespace: 'other' } }),
    400,
    'BadRequest',
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
  [
    'namespace that is not there',
    'POST',
    '/api/v1/namespaces/none/configmaps',
    json({ metadata: { name: 'x' } }),
    404,
    'NotFound',
    'namespaces "none" not found',
  ],
  [
    'name taken',
    'POST',
    maps,
    json({ metadata: { name: 'here' } }),
    409,
    'AlreadyExists',
    'configmaps "here" already exists',
  ],
  [
    'version on create',
    'POST',
    maps,
    json({ metadata: { name: 'x', resourceVersion: '1' } }),
    400,
    'BadRequest',
    'resourceVersion should not be set on objects to be created',
  ],
  [
    'unknown dryRun',
    'POST',
    `${maps}?dryRun=some`,
    json({ metadata: { name: 'x' } }),
    422,
    'Invalid',
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["some"]: supported values: "All"',
  ],
  [
    'unknown fieldValidation',
    'POST',
    `${maps}?fieldValidation=Loud`,
    json({ metadata: { name: 'x' } }),
    422,
    'Invalid',
    'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loud": supported values: "", "Ignore", "Strict", "Warn"',
  ],
  [
    'unprintable fieldManager',
    'POST',
    `${maps}?fieldManager=a%01`,
    json({ metadata: { name: 'x' } }),
    422,
    'Invalid',
    /fieldManager: Invalid value: "a.*": invalid character U\+0001 \(at position 1\)$/,
  ],
  [
    'unknown field, strictly',
    'POST',
    `${maps}?fieldValidation=Strict`,
    json({ metadata: { name: 'x', lables: {} }, datum: {} }),
    400,
    'BadRequest',
    /^ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: (unknown field "metadata\.lables", unknown field "datum"|unknown field "datum", unknown field "metadata\.lables")$/,
  ],
  [
    'update of nothing',
    'PUT',
    `${maps}/none`,
    json({ metadata: { name: 'none' } }),
    404,
    'NotFound',
    'configmaps "none" not found',
  ],
  [
    'update under another name',
    'PUT',
    `${maps}/here`,
    json({ metadata: { name: 'there' } }),
    400,
    'BadRequest',
    'the name of the object (there) does not match the name on the URL (here)',
  ],
  [
    'update of an old version',
    'PUT',
    `${maps}/here`,
    json({ metadata: { name: 'here', resourceVersion: '1' } }),
    409,
    'Conflict',
    'Operation cannot be fulfilled on configmaps "here": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    'update of another object',
    'PUT',
    `${maps}/here`,
    json({ metadata: { name: 'here', uid: 'x' } }),
    409,
    'Conflict',
    /^Operation cannot be fulfilled on configmaps "here": StorageError: invalid object, Code: 4, Key: \/registry\/\S+configmaps\/default\/here, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: /,
  ],
  [
    'delete of another object',
    'DELETE',
    `${maps}/here`,
    json({ preconditions: { uid: 'x' } }),
    409,
    'Conflict',
    /^Operation cannot be fulfilled on ConfigMap "here": the UID in the precondition \(x\) does not match the UID in record \(\S+\)\. The object might have been deleted and then recreated$/,
  ],
  [
    'delete of an old version',
    'DELETE',
    `${maps}/here`,
    json({ preconditions: { resourceVersion: '1' } }),
    409,
    'Conflict',
    /the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record/,
  ],
  [
    'unknown propagation',
    'DELETE',
    `${maps}/here`,
    json({ propagationPolicy: 'Sideways' }),
    422,
    'Invalid',
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Background", "Foreground", "Orphan", "nil"',
  ],
  [
    'two ways to orphan',
    'DELETE',
    `${maps}/here`,
    json({ propagationPolicy: 'Orphan', orphanDependents: true }),
    422,
    'Invalid',
    /orphanDependents and deletionPropagation cannot be both set$/,
  ],
  [
    'apply without a manager',
    'PATCH',
    `${maps}/here`,
    json('{}', { 'content-type': 'application/apply-patch+yaml' }),
    422,
    'Invalid',
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ],
  [
    'force without apply',
    'PATCH',
    `${maps}/here?force=true`,
    json('{}', { 'content-type': 'application/merge-patch+json' }),
    422,
    'Invalid',
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  ],
  [
    'failed test',
    'PATCH',
    `${maps}/here`,
    json([{ op: 'test', path: '/data/a', value: 'c' }], { 'content-type': 'application/json-patch+json' }),
    422,
    'Invalid',
    'the server rejected our request due to an error in our request',
  ],
  [
    'patch of nothing there',
    'PATCH',
    `${maps}/here`,
    json([{ op: 'remove', path: '/data/z' }], { 'content-type': 'application/json-patch+json' }),
    422,
    'Invalid',
    'the server rejected our request due to an error in our request',
  ],
  [
    'list at no number',
    'GET',
    `${maps}?resourceVersion=x`,
    {},
    400,
    'BadRequest',
    /strconv\.ParseUint: parsing "x": invalid syntax/,
  ],
  [
    'list in the future',
    'GET',
    `${maps}?resourceVersion=999999`,
    {},
    504,
    'Timeout',
    /^Timeout: Too large resource version: 999999, current: \d+$/,
  ],
  [
    'match without a version',
    'GET',
    `${maps}?resourceVersionMatch=Exact`,
    {},
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ],
  [
    'unknown match',
    'GET',
    `${maps}?resourceVersion=1&resourceVersionMatch=About`,
    {},
    422,
    'Invalid',
    /Unsupported value: "About": supported values: "", "Exact", "NotOlderThan"$/,
  ],
  [
    'exactly any',
    'GET',
    `${maps}?resourceVersion=0&resourceVersionMatch=Exact`,
    {},
    422,
    'Invalid',
    /resourceVersionMatch "exact" is forbidden for resourceVersion "0"$/,
  ],
  [
    'initial events of a list',
    'GET',
    `${maps}?sendInitialEvents=true`,
    {},
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
  ],
  [
    'initial events without a match',
    'GET',
    `${maps}?watch=1&sendInitialEvents=true`,
    {},
    422,
    'Invalid',
    /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan$/,
  ],
  [
    'match of a watch',
    'GET',
    `${maps}?watch=1&resourceVersion=1&resourceVersionMatch=Exact`,
    {},
    422,
    'Invalid',
    /resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"\]$/,
  ],
  [
    'broken continue token',
    'GET',
    `${maps}?continue=%21`,
    {},
    400,
    'BadRequest',
    /^invalid continue token: continue key is not valid: /,
  ],
  [
    'continue token with a version',
    'GET',
    `${maps}?continue=eyJ9&resourceVersion=5`,
    {},
    400,
    'BadRequest',
    'specifying resource version is not allowed when using continue',
  ],
  [
    'limit that is no number',
    'GET',
    `${maps}?limit=x`,
    {},
    400,
    'BadRequest',
    /strconv\.ParseInt: parsing "x": invalid syntax/,
  ],
  [
    'unknown field selector',
    'GET',
    `${maps}?fieldSelector=a%3Db`,
    {},
    400,
    'BadRequest',
    '"a" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  [
    'broken label selector',
    'GET',
    `${maps}?labelSelector=a%20in`,
    {},
    400,
    'BadRequest',
    "unable to parse requirement: found '' expected: '('",
  ],
  [
    'too large',
    'POST',
    maps,
    json({ metadata: { name: 'x' }, data: { a: 'x'.repeat(1_100_000) } }),
    422,
    'Invalid',
    'ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes',
  ],
  [
    'much too large',
    'POST',
    maps,
    json('x'.repeat(3_200_000)),
    413,
    'RequestEntityTooLarge',
    'Request entity too large: limit is 3145728',
  ],
]

describe('refusals', () => {
  it.each(cases)('%s', async (_, method, path, options, code, reason, message) => {
    const { body, headers } = await api.call<{ message: string }>(method, path, options)
    expect(body).toMatchObject({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code })
    if (typeof message === 'string') expect(body.message).toBe(message)
    else expect(body.message).toMatch(message)
    expect(headers['content-type']).toBe('application/json')
  })

  it('of paths that lead nowhere are plain', async () => {
    for (const path of ['/apis/nowhere', '/apis/nowhere/v1/things', '/nowhere'])
      expect(await api.get(path)).toMatchObject({ code: 404, text: '404 page not found\n' })
  })

  it('name all causes', async () => {
    const { body } = await api.post<{ message: string; details: object }>('/api/v1/namespaces/default/pods', {
      metadata: { name: 'Bad' },
      spec: { containers: [{ name: 'A' }] },
    })
    expect(body.details).toMatchObject({
      name: 'Bad',
      kind: 'Pod',
      causes: [
        { reason: 'FieldValueInvalid', field: 'metadata.name' },
        { reason: 'FieldValueInvalid', field: 'spec.containers[0].name' },
        { reason: 'FieldValueRequired', field: 'spec.containers[0].image', message: 'Required value' },
      ],
    })
    expect(body.message).toMatch(
      /^Pod "Bad" is invalid: \[metadata\.name: Invalid value: "Bad": .*, spec\.containers\[0\]\.image: Required value\]$/,
    )
  })

  it('are in the format asked for', async () => {
    const { text, headers } = await api.get(`${maps}/none`, { accept: 'application/yaml' })
    expect(headers['content-type']).toBe('application/yaml')
    expect(text).toContain('message: configmaps "none" not found')
  })
})
