import { describe, expect, test } from 'vitest'
import type { Image } from '../../../common/api/lab/v1alpha1.ts'
import type { RegistryImage } from '../../registry/images.ts'
import { imageFinalizer, objectName, planImages } from './plan.ts'

const stored = (name: string, digest = 'sha256:1'): RegistryImage => ({
  name,
  digest,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  sizeBytes: 10,
  platforms: [{ os: 'linux', architecture: 'amd64', digest: 'sha256:2', sizeBytes: 10 }],
  updatedAtMs: 0,
  builtIn: false,
})

/** The object as the plan itself makes it. */
function mirrored(name: string, extra: Partial<Image['metadata']> = {}): Image {
  const [action] = planImages([], [stored(name)])
  if (action?.type !== 'create') throw new Error('no object was planned')
  return { ...action.object, metadata: { ...action.object.metadata, ...extra }, status: action.status }
}

describe('image plan', () => {
  test('an image of the registry becomes an object', () => {
    expect(planImages([], [stored('docker.io/library/hello:1.0')])).toEqual([
      {
        type: 'create',
        object: {
          apiVersion: 'lab.orrery.dev/v1alpha1',
          kind: 'Image',
          metadata: { name: 'docker.io-library-hello-1.0', finalizers: [imageFinalizer] },
          spec: { reference: 'docker.io/library/hello:1.0' },
        },
        status: {
          digest: 'sha256:1',
          sizeBytes: 10,
          platforms: [{ os: 'linux', architecture: 'amd64', digest: 'sha256:2', sizeBytes: 10 }],
          importedAt: '1970-01-01T00:00:00Z',
          source: 'import',
        },
      },
    ])
  })
  test('what is mirrored already is left alone; a tag that moved is updated', () => {
    expect(planImages([mirrored('a.io/b:1')], [stored('a.io/b:1')])).toEqual([])
    expect(planImages([mirrored('a.io/b:1')], [stored('a.io/b:1', 'sha256:9')])).toMatchObject([
      { type: 'status', status: { digest: 'sha256:9' } },
    ])
  })
  test('what the registry lost goes; what a person deleted is removed from the registry', () => {
    expect(planImages([mirrored('a.io/b:1')], [])).toMatchObject([{ type: 'delete' }])
    expect(
      planImages([mirrored('a.io/b:1', { deletionTimestamp: '2026-01-01T00:00:00Z' })], [stored('a.io/b:1')]),
    ).toMatchObject([{ type: 'remove' }])
  })
  test('an object somebody else made is not ours to delete', () => {
    expect(planImages([mirrored('a.io/b:1', { finalizers: [] })], [])).toEqual([])
  })
})

test.each([
  ['docker.io/library/hello:1.0', 'docker.io-library-hello-1.0'],
  ['localhost:5000/Team_A/x__y:v1_2', 'localhost-5000-team-a-x-y-v1-2'],
  ['registry.k8s.io/pause:3.10', 'registry.k8s.io-pause-3.10'],
])('%s is called %s', (reference, name) => {
  expect(objectName(reference, new Set())).toBe(name)
})

test('names stay unique, valid and short enough', () => {
  const taken = new Set(['a.io-b-c-1'])
  const name = objectName('a.io/b-c:1', taken)
  expect(name).toMatch(/^a\.io-b-c-1-[0-9a-f]{10}$/)
  const long = objectName(`a.io/${'x'.repeat(300)}:1`, new Set())
  expect(long.length).toBeLessThanOrEqual(253)
  expect(long).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
})
