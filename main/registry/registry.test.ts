import { describe, expect, it } from 'vitest'
import { digestOf } from './blob-store.ts'
import { indexOf, smallImage, startRegistry, type RunningRegistry, type SmallImage } from './testing.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

const put = (url: string, body: Buffer, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'PUT', body: new Uint8Array(body), headers })

async function pushBlob(running: RunningRegistry, name: string, content: Buffer): Promise<void> {
  const started = await fetch(`${running.url}/v2/${name}/blobs/uploads/`, { method: 'POST' })
  expect(started.status).toBe(202)
  const done = await put(`${running.url}${started.headers.get('location') ?? ''}?digest=${digestOf(content)}`, content)
  expect(done.status).toBe(201)
}

async function pushImage(
  running: RunningRegistry,
  name: string,
  reference: string,
  image: SmallImage,
): Promise<Response> {
  await pushBlob(running, name, image.layer)
  await pushBlob(running, name, image.config)
  return put(`${running.url}/v2/${name}/manifests/${reference}`, image.manifest, { 'content-type': manifestType })
}

const errorCode = async (response: Response): Promise<unknown> => {
  const body: unknown = await response.json()
  const errors =
    typeof body === 'object' && body !== null && 'errors' in body && Array.isArray(body.errors)
      ? (body.errors as unknown[])
      : []
  const first = errors[0]
  return typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined
}

describe('push and pull', () => {
  it('gives back what was pushed, under every name containerd asks by', async () => {
    await using running = await startRegistry()
    const image = smallImage('one')
    const pushed = await pushImage(running, 'library/hello', '1.0', image)
    expect(pushed.status).toBe(201)
    expect(pushed.headers.get('docker-content-digest')).toBe(image.digest)
    for (const query of ['', '?ns=docker.io', '?ns=localhost%3A5000']) {
      const head = await fetch(`${running.url}/v2/library/hello/manifests/1.0${query}`, { method: 'HEAD' })
      expect([
        head.status,
        head.headers.get('docker-content-digest'),
        head.headers.get('content-type'),
        head.headers.get('content-length'),
      ]).toEqual([200, image.digest, manifestType, String(image.manifest.length)])
    }
    const pulled = await fetch(`${running.url}/v2/library/hello/manifests/${image.digest}?ns=docker.io`)
    expect(Buffer.from(await pulled.arrayBuffer())).toEqual(image.manifest)
    const layer = await fetch(`${running.url}/v2/library/hello/blobs/${digestOf(image.layer)}`)
    expect(Buffer.from(await layer.arrayBuffer())).toEqual(image.layer)
    expect(await running.registry.get('hello:1.0')).toMatchObject({
      name: 'docker.io/library/hello:1.0',
      digest: image.digest,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      builtIn: false,
    })
  })

  it('keeps registries apart: what is not here is not found', async () => {
    await using running = await startRegistry()
    await pushImage(running, 'hello', '1.0', smallImage('one'))
    const other = await fetch(`${running.url}/v2/library/hello/manifests/1.0?ns=quay.io`)
    expect([other.status, await errorCode(other)]).toEqual([404, 'MANIFEST_UNKNOWN'])
    const missing = await fetch(`${running.url}/v2/library/hello/manifests/2.0?ns=docker.io`)
    expect([missing.status, await errorCode(missing)]).toEqual([404, 'MANIFEST_UNKNOWN'])
    const blob = await fetch(`${running.url}/v2/library/hello/blobs/${digestOf(Buffer.from('x'))}`)
    expect([blob.status, await errorCode(blob)]).toEqual([404, 'BLOB_UNKNOWN'])
    expect((await fetch(`${running.url}/v3/`)).status).toBe(404)
    expect((await fetch(`${running.url}/v2/`)).status).toBe(200)
  })

  it('survives a restart', async () => {
    await using running = await startRegistry()
    const image = smallImage('one')
    await pushImage(running, 'registry.k8s.io/pause', '3.10', image)
    await running.reopen()
    expect((await fetch(`${running.url}/v2/pause/manifests/3.10?ns=registry.k8s.io`)).status).toBe(200)
  })

  it('serves ranges of blobs', async () => {
    await using running = await startRegistry()
    const image = smallImage('ranges')
    await pushImage(running, 'hello', '1', image)
    const blob = `${running.url}/v2/hello/blobs/${digestOf(image.layer)}`
    const ranged = async (range: string): Promise<[number, string, string | null]> => {
      const response = await fetch(blob, { headers: { range } })
      return [response.status, await response.text(), response.headers.get('content-range')]
    }
    const text = image.layer.toString()
    const size = image.layer.length
    expect(await ranged('bytes=5-9')).toEqual([206, text.slice(5, 10), `bytes 5-9/${size}`])
    expect(await ranged(`bytes=${size - 3}-`)).toEqual([206, text.slice(-3), `bytes ${size - 3}-${size - 1}/${size}`])
    expect(await ranged('bytes=-4')).toEqual([206, text.slice(-4), `bytes ${size - 4}-${size - 1}/${size}`])
    expect((await ranged(`bytes=${size}-`))[0]).toBe(416)
  })
})

describe('uploads', () => {
  it('go on in chunks, also after a restart, and tell where', async () => {
    await using running = await startRegistry()
    const content = Buffer.from('0123456789'.repeat(100))
    const started = await fetch(`${running.url}/v2/hello/blobs/uploads/`, { method: 'POST' })
    const location = `${running.url}${started.headers.get('location') ?? ''}`
    const chunk = (from: number, to: number): Promise<Response> =>
      fetch(location, {
        method: 'PATCH',
        body: new Uint8Array(content.subarray(from, to)),
        headers: { 'content-range': `${from}-${to - 1}`, 'content-type': 'application/octet-stream' },
      })
    expect((await chunk(0, 400)).headers.get('range')).toBe('0-399')
    await running.reopen()
    const status = await fetch(location)
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-399'])
    const wrong = await chunk(500, 600)
    expect([wrong.status, wrong.headers.get('range')]).toEqual([416, '0-399'])
    expect((await chunk(400, 1000)).status).toBe(202)
    const done = await put(`${location}?digest=${digestOf(content)}`, Buffer.alloc(0))
    expect(done.status).toBe(201)
    expect(await (await fetch(`${running.url}/v2/hello/blobs/${digestOf(content)}`)).text()).toBe(content.toString())
  })

  it('in one request, by mounting, and cancelled', async () => {
    await using running = await startRegistry()
    const content = Buffer.from('all at once')
    const digest = digestOf(content)
    const once = await fetch(`${running.url}/v2/hello/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: new Uint8Array(content),
    })
    expect(once.status).toBe(201)
    const mounted = await fetch(`${running.url}/v2/other/blobs/uploads/?mount=${digest}&from=hello`, { method: 'POST' })
    expect(mounted.status).toBe(201)
    const started = await fetch(`${running.url}/v2/hello/blobs/uploads/`, { method: 'POST' })
    const location = `${running.url}${started.headers.get('location') ?? ''}`
    expect((await fetch(location, { method: 'DELETE' })).status).toBe(204)
    const gone = await fetch(location)
    expect([gone.status]).toEqual([404])
    expect((await fetch(`${running.url}/v2/hello/blobs/uploads/..%2f..%2fimages.json`)).status).toBe(404)
  })

  it('refuse content that does not have its digest, and keep nothing of it', async () => {
    await using running = await startRegistry()
    const digest = digestOf(Buffer.from('right'))
    const started = await fetch(`${running.url}/v2/hello/blobs/uploads/`, { method: 'POST' })
    const location = `${running.url}${started.headers.get('location') ?? ''}`
    const wrong = await put(`${location}?digest=${digest}`, Buffer.from('wrong'))
    expect([wrong.status, await errorCode(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await fetch(`${running.url}/v2/hello/blobs/${digest}`)).status).toBe(404)
    expect((await fetch(location)).status).toBe(404)
  })
})

describe('manifests', () => {
  it('must be whole: known blobs, known parts, right digest, real JSON', async () => {
    await using running = await startRegistry()
    const image = smallImage('lonely')
    const put2 = (reference: string, body: Buffer, type = manifestType): Promise<Response> =>
      put(`${running.url}/v2/hello/manifests/${reference}`, body, { 'content-type': type })
    const blobless = await put2('1', image.manifest)
    expect([blobless.status, await errorCode(blobless)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
    const partless = await put2('1', indexOf([{ image, architecture: 'amd64' }]), indexType)
    expect([partless.status, await errorCode(partless)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
    const garbage = await put2('1', Buffer.from('{'))
    expect([garbage.status, await errorCode(garbage)]).toEqual([400, 'MANIFEST_INVALID'])
    const misnamed = await put2(`sha256:${'0'.repeat(64)}`, image.manifest)
    expect([misnamed.status, await errorCode(misnamed)]).toEqual([400, 'DIGEST_INVALID'])
    const huge = await put2('1', Buffer.alloc(5 << 20, 32))
    expect(huge.status).toBe(413)
    expect(await running.registry.list()).toEqual([])
  })

  it('lists tags and repositories in pages', async () => {
    await using running = await startRegistry()
    const image = smallImage('many')
    for (const tag of ['a', 'b', 'c']) await pushImage(running, 'hello', tag, image)
    await pushImage(running, 'quay.io/x/y', '1', image)
    const first = await fetch(`${running.url}/v2/hello/tags/list?n=2`)
    expect(await first.json()).toEqual({ name: 'hello', tags: ['a', 'b'] })
    expect(first.headers.get('link')).toBe('</v2/hello/tags/list?n=2&last=b>; rel="next"')
    const second = await fetch(`${running.url}/v2/hello/tags/list?n=2&last=b`)
    expect(await second.json()).toEqual({ name: 'hello', tags: ['c'] })
    expect(await (await fetch(`${running.url}/v2/_catalog`)).json()).toEqual({
      repositories: ['docker.io/library/hello', 'quay.io/x/y'],
    })
    expect((await fetch(`${running.url}/v2/nothing/tags/list`)).status).toBe(404)
  })

  it('answers which manifests refer to one', async () => {
    await using running = await startRegistry()
    const image = smallImage('signed')
    await pushImage(running, 'hello', '1', image)
    const empty = Buffer.from('{}')
    await pushBlob(running, 'hello', empty)
    const signature = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType: 'application/x-signature',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), size: 2 },
        layers: [],
        subject: { mediaType: manifestType, digest: image.digest, size: image.manifest.length },
      }),
    )
    const pushed = await put(`${running.url}/v2/hello/manifests/${digestOf(signature)}`, signature, {
      'content-type': manifestType,
    })
    expect([pushed.status, pushed.headers.get('oci-subject')]).toEqual([201, image.digest])
    const referrers = await fetch(
      `${running.url}/v2/hello/referrers/${image.digest}?artifactType=application/x-signature`,
    )
    expect(await referrers.json()).toMatchObject({
      manifests: [{ digest: digestOf(signature), artifactType: 'application/x-signature' }],
    })
    expect(
      await (await fetch(`${running.url}/v2/hello/referrers/${image.digest}?artifactType=other`)).json(),
    ).toMatchObject({ manifests: [] })
  })
})

describe('removal', () => {
  it('takes the content that nothing else needs, and only that', async () => {
    await using running = await startRegistry()
    const shared = smallImage('shared')
    const own = smallImage('own')
    await pushImage(running, 'hello', '1', shared)
    await pushImage(running, 'hello', '2', own)
    await pushImage(running, 'other', '1', shared)
    let changes = 0
    const unwatch = running.registry.watch(() => changes++)
    expect(await running.registry.remove('hello:1')).toBe(true)
    expect(await running.registry.remove('hello:2')).toBe(true)
    expect(await running.registry.remove('hello:2')).toBe(false)
    unwatch()
    expect(changes).toBe(2)
    expect((await fetch(`${running.url}/v2/other/blobs/${digestOf(shared.layer)}`)).status).toBe(200)
    expect((await fetch(`${running.url}/v2/other/blobs/${digestOf(own.layer)}`)).status).toBe(404)
    expect((await running.registry.list()).map((image) => image.name)).toEqual(['docker.io/library/other:1'])
  })

  it('by digest over HTTP takes the tags with it', async () => {
    await using running = await startRegistry()
    const image = smallImage('one')
    await pushImage(running, 'hello', '1', image)
    expect((await fetch(`${running.url}/v2/hello/manifests/${image.digest}`, { method: 'DELETE' })).status).toBe(202)
    expect((await fetch(`${running.url}/v2/hello/manifests/1`)).status).toBe(404)
    expect((await fetch(`${running.url}/v2/hello/manifests/1`, { method: 'DELETE' })).status).toBe(404)
  })

  it('collects what nobody refers to once it is old, sparing pushes under way', async () => {
    let now = Date.now()
    await using running = await startRegistry({ nowMs: () => now })
    const image = smallImage('kept')
    await pushImage(running, 'hello', '1', image)
    await pushBlob(running, 'hello', Buffer.from('nobody wants me'))
    expect(await running.registry.collectGarbage()).toEqual({ blobs: 0, bytes: 0 })
    now += 2 * 3600_000
    expect(await running.registry.collectGarbage()).toEqual({ blobs: 1, bytes: 15 })
    expect((await fetch(`${running.url}/v2/hello/blobs/${digestOf(image.layer)}`)).status).toBe(200)
  })
})

it('lets nodes pull but not push', async () => {
  await using running = await startRegistry({ handle: { readOnly: true } })
  const refused = await fetch(`${running.url}/v2/hello/blobs/uploads/`, { method: 'POST' })
  expect([refused.status, await errorCode(refused)]).toEqual([403, 'DENIED'])
})
