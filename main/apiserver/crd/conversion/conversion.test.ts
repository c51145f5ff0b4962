import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../../../../common/client/testing/eventually.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { createAuthority, issueCertificate } from '../../../pki/certificates.ts'
import { type Answer, startTestServer, type TestServer } from '../../testing/test-server.ts'

type Door = KubeObject & { spec: { width?: number; size?: string } }
interface Review {
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: Door[] }
}

let server: TestServer
let converter: Server
let failing = false

/** v1 says {width: 5}, v2 says {size: "5cm"}. */
function convert(object: Door, apiVersion: string): Door {
  if (object.apiVersion === apiVersion) return object
  const { width, size } = object.spec
  const spec = apiVersion.endsWith('v2') ? { size: `${String(width)}cm` } : { width: parseInt(size ?? '0', 10) }
  return { ...object, apiVersion, spec }
}

beforeAll(async () => {
  server = await startTestServer()
  const authority = await createAuthority('converter-ca')
  const identity = { commonName: 'converter', addresses: ['127.0.0.1'], usages: ['server'] as const }
  converter = createServer(await issueCertificate(authority, identity), (req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      const { request } = JSON.parse(text) as Review
      const response = failing
        ? { uid: request.uid, result: { status: 'Failed', message: 'cannot' } }
        : {
            uid: request.uid,
            result: { status: 'Success' },
            convertedObjects: request.objects.map((object) => convert(object, request.desiredAPIVersion)),
          }
      res.end(JSON.stringify({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response }))
    })
  })
  await new Promise<void>((resolve) => converter.listen(0, '127.0.0.1', resolve))
  const { port } = converter.address() as AddressInfo
  const version = (name: string, storage: boolean, properties: object): object => ({
    name,
    served: true,
    storage,
    selectableFields: Object.keys(properties).map((field) => ({ jsonPath: `.spec.${field}` })),
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  })
  const defined = await server.call('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'doors.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'doors', kind: 'Door' },
        versions: [
          version('v1', false, { width: { type: 'integer' } }),
          version('v2', true, { size: { type: 'string' } }),
        ],
        conversion: {
          strategy: 'Webhook',
          webhook: {
            conversionReviewVersions: ['v1'],
            clientConfig: {
              url: `https://127.0.0.1:${String(port)}/convert`,
              caBundle: Buffer.from(authority.cert).toString('base64'),
            },
          },
        },
      },
    },
  })
  expect(defined.status, defined.text).toBe(201)
  await eventually(async () => {
    expect((await server.call(doors('v1'))).status).toBe(200)
  })
})
afterAll(async () => {
  await server.close()
  converter.closeAllConnections()
  await new Promise((resolve) => converter.close(resolve))
})

const doors = (version: string, name = ''): string =>
  `/apis/example.com/${version}/namespaces/default/doors${name === '' ? '' : `/${name}`}`
const make = (version: string, name: string, spec: object): Promise<Answer<Door>> =>
  server.call<Door>(doors(version), {
    body: { apiVersion: `example.com/${version}`, kind: 'Door', metadata: { name }, spec },
  })

it('reads and writes every version through the webhook', async () => {
  const made = await make('v1', 'a', { width: 5 })
  expect(made.status, made.text).toBe(201)
  expect(made.body).toMatchObject({ apiVersion: 'example.com/v1', spec: { width: 5 } })
  expect(made.body.metadata.resourceVersion).toBeDefined()
  expect(JSON.parse(server.store.get('/registry/example.com/doors/default/a')?.value ?? '')).toMatchObject({
    apiVersion: 'example.com/v2',
    spec: { size: '5cm' },
  })
  expect((await server.call<Door>(doors('v2', 'a'))).body.spec).toEqual({ size: '5cm' })
  await make('v2', 'b', { size: '7cm' })
  const list = await server.call<{ items: Door[] }>(doors('v1'))
  expect(list.body.items.map(({ spec }) => spec.width)).toEqual([5, 7])
  const patched = await server.call<Door>(doors('v1', 'b'), {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { width: 8 } },
  })
  expect(patched.body.spec, patched.text).toEqual({ width: 8 })
  expect((await server.call<Door>(doors('v2', 'b'))).body.spec).toEqual({ size: '8cm' })
})

it('watches in the version that was asked for', async () => {
  const transport = server.api.transport({ name: 'test', groups: ['system:masters'] })
  const seen: unknown[] = []
  const stop = new AbortController()
  const watching = (async () => {
    for await (const { type, object } of transport.watch<Door>({
      method: 'GET',
      path: doors('v1'),
      signal: stop.signal,
    })) {
      if (type === 'BOOKMARK') continue
      seen.push([type, object.metadata.name, object.apiVersion, object.spec.width])
      if (object.metadata.name === 'c') return
    }
  })()
  await eventually(() => {
    expect(seen).toHaveLength(2)
  })
  await make('v2', 'c', { size: '9cm' })
  await watching
  stop.abort()
  expect(seen.at(-1)).toEqual(['ADDED', 'c', 'example.com/v1', 9])
})

it('selects by the fields of the version that is asked for', async () => {
  await server.call(doors('v1'), { method: 'DELETE' })
  const transport = server.api.transport({ name: 'watcher', groups: ['system:masters'] })
  const seen: string[] = []
  const stop = new AbortController()
  const watching = (async () => {
    const query = { fieldSelector: 'spec.width=5', resourceVersion: '0' }
    for await (const { type, object } of transport.watch<Door>({
      method: 'GET',
      path: doors('v1'),
      query,
      signal: stop.signal,
    })) {
      if (type === 'BOOKMARK') continue
      seen.push(`${type} ${object.metadata.name ?? ''} ${String(object.spec.width)}`)
      if (type === 'DELETED') return
    }
  })()
  await make('v2', 'e', { size: '5cm' })
  await make('v2', 'f', { size: '6cm' })
  await eventually(() => {
    expect(seen).toEqual(['ADDED e 5'])
  })
  const list = await server.call<{ items: Door[] }>(`${doors('v1')}?fieldSelector=spec.width%3D5`)
  expect(list.body.items.map(({ metadata }) => metadata.name)).toEqual(['e'])
  await server.call(doors('v2', 'e'), {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { size: '7cm' } },
  })
  await watching
  stop.abort()
  expect(seen).toEqual(['ADDED e 5', 'DELETED e 5'])
})

it('shows policies the version their rules name', async () => {
  const group = '/apis/admissionregistration.k8s.io/v1'
  const rule = { apiGroups: ['example.com'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['doors'] }
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const metadata = { name: 'sizes' }
  await server.call(`${group}/validatingadmissionpolicies`, {
    body: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: "object.spec.size != '9cm'" }] },
    },
  })
  await server.call(`${group}/validatingadmissionpolicybindings`, {
    body: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: 'sizes', validationActions: ['Deny'] },
    },
  })
  expect((await make('v1', 'g', { width: 9 })).text).toContain("ValidatingAdmissionPolicy 'sizes'")
  expect((await make('v1', 'g', { width: 8 })).status).toBe(201)
  for (const plural of ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'])
    await server.call(`${group}/${plural}`, { method: 'DELETE' })
})

it('tells when the webhook fails', async () => {
  await make('v2', 'd', { size: '1cm' })
  failing = true
  const answer = await server.call(doors('v1', 'd'))
  failing = false
  expect(answer.status).toBe(500)
  expect(answer.body['message']).toBe(
    'Internal error occurred: conversion webhook for example.com/v2, Kind=Door failed: cannot',
  )
  expect((await server.call(doors('v1', 'd'), { method: 'DELETE' })).status).toBe(200)
})
