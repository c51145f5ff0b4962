// Random objects of every kind through every door: whatever they are, the answer is theirs (2xx, 4xx), never the server's fault (5xx).
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtinKinds } from '../../../main/kinds/index.ts'
import { type Api, type Answer, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { randomObject } from './random-objects.ts'

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

/** What would change how the server treats other objects is only tried. */
const dryRunOnly = /^(admissionregistration|apiregistration|apiextensions|flowcontrol)/
const seed = Number(process.env['FUZZ_SEED'] ?? '20260101')
const runs = Number(process.env['FUZZ_RUNS'] ?? '25')

const kinds = builtinKinds.filter(({ schema }) => typeof schema === 'string')

describe(`random objects (FUZZ_SEED=${String(seed)})`, () => {
  it.each(kinds.map((kind) => [`${kind.group}/${kind.plural}`, kind] as const))('%s', async (_, kind) => {
    const { group, version, plural, scope } = kind
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const collection = `${root}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${plural}`
    const suffix = dryRunOnly.test(group) ? '?dryRun=All' : ''
    const object = randomObject(kind.schema as string)
    const patchKind = fc.constantFrom('merge', 'strategic', 'apply', 'json')
    let number = 0
    const type = { apiVersion: group === '' ? version : `${group}/${version}`, kind: kind.kind }
    const named = (body: Record<string, unknown>, name: string): Record<string, unknown> => ({
      ...body,
      ...type,
      metadata: {
        ...(typeof body['metadata'] === 'object' ? body['metadata'] : {}),
        name,
        namespace: undefined,
        finalizers: undefined,
        generateName: undefined,
        resourceVersion: undefined,
      },
    })
    await fc.assert(
      fc.asyncProperty(object, object, patchKind, async (first, second, patch) => {
        number += 1
        const name = `fuzz-${String(number)}`
        const path = `${collection}/${name}`
        const fine = ({ code, text }: Answer, what: string): void => {
          expect(code, `${what}: ${text.slice(0, 500)}`).toBeLessThan(500)
        }
        fine(await api.post(`${collection}${suffix}`, named(first, name)), 'create')
        fine(await api.put(`${path}${suffix}`, named(second, name)), 'update')
        const body =
          patch === 'json' ? [{ op: 'add', path: '/spec', value: second['spec'] ?? null }] : named(second, name)
        const query = patch === 'apply' ? `${suffix === '' ? '?' : `${suffix}&`}fieldManager=fuzz&force=true` : suffix
        fine(await api.patch(`${path}${query}`, patch, body), patch)
        if ('status' in (kind.subresources ?? {}))
          fine(await api.put(`${path}/status${suffix}`, named(second, name)), 'status')
        fine(await api.get(path, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }), 'table')
        fine(await api.get(path, { accept: 'application/vnd.kubernetes.protobuf' }), 'protobuf')
        fine(await api.delete(path, { gracePeriodSeconds: 0 }), 'delete')
      }),
      { seed, numRuns: runs, endOnFailure: false },
    )
  })

  it('has done no harm', async () => {
    expect(await plane.ok('get --raw /readyz')).toBe('ok')
    await plane.ok('create configmap after-all')
  })
})
