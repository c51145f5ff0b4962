// The store on a real etcd: the contract every store keeps, and what only a server on the other end of a connection can do to it.
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../common/client/testing/eventually.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../main/pki/certificates.ts'
import { openEtcdStore } from '../../main/store/etcd/index.ts'
import { Collector, create, describeStoreContract, put } from '../../main/store/store-contract.ts'
import { ClosedError, CompactedError, type Store } from '../../main/store/store.ts'
import { type EtcdPorts, EtcdProcesses, newPorts, urlOf } from '../harness/etcd.ts'

const running = new EtcdProcesses()
beforeAll(() => running.prepare(), 300_000)
afterEach(() => running.stopAll())

describeStoreContract('etcd', {
  open: async (directory) => {
    const ports = await newPorts()
    await running.start(directory, ports)
    return openEtcdStore({ servers: [urlOf(ports)] })
  },
})

describe('a store on etcd', () => {
  let folder: string
  let ports: EtcdPorts
  let etcd: ChildProcess
  const stores: Store[] = []
  const open = async (options: Partial<Parameters<typeof openEtcdStore>[0]> = {}): Promise<Store> => {
    const store = await openEtcdStore({ servers: [urlOf(ports)], ...options })
    stores.push(store)
    return store
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-etcd-'))
    ports = await newPorts()
    etcd = await running.start(folder, ports)
  })

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('finds everything again, at the same revisions', async () => {
    const first = await open()
    for (let index = 0; index < 2500; index += 100)
      await Promise.all(Array.from({ length: 100 }, (_, n) => create(first, `/k/${String(index + n)}`)))
    await put(first, '/k/7', '"changed"')
    const { revision } = first
    const entries = first.range({ prefix: '' }).entries.map((entry) => ({ ...entry, view: undefined }))
    const second = await open()
    expect(second.revision).toBe(revision)
    expect(second.range({ prefix: '' }).entries).toEqual(entries)
  })

  it('is shared: each sees what the other writes, and one of two compares loses', async () => {
    const [one, two] = [await open(), await open()]
    const seen = new Collector(two, '/', 2)
    const revision = await create(one, '/a', '1')
    await seen.reached(revision)
    expect(two.get('/a')).toEqual(one.get('/a'))
    const change = (store: Store, value: string): ReturnType<Store['txn']> =>
      store.txn([{ key: '/a', modRevision: revision }], [{ put: '/a', value }])
    const results = await Promise.all([change(one, '2'), change(two, '3')])
    expect(results.map(({ succeeded }) => succeeded).sort()).toEqual([false, true])
  })

  it('keeps to its prefix', async () => {
    const [one, two] = [await open({ prefix: '/one' }), await open({ prefix: '/two' })]
    await create(one, '/a', '1')
    await create(two, '/a', '2')
    expect([one.get('/a')?.value, two.get('/a')?.value]).toEqual(['1', '2'])
    expect(one.count('')).toBe(1)
    const again = await open({ prefix: '/two' })
    expect(again.range({ prefix: '' }).entries.map(({ key, value }) => key + value)).toEqual(['/a2'])
  })

  it('refuses writes while etcd is away, goes on when it is back, and misses nothing', async () => {
    const store = await open()
    const seen = new Collector(store, '/', 2)
    await create(store, '/a', '1')
    await running.stop(etcd, 'SIGKILL')
    await expect(create(store, '/b', '1')).rejects.toThrow(ClosedError)
    expect(store.get('/a')?.value).toBe('1')
    etcd = await running.start(folder, ports)
    const other = await open()
    await create(other, '/c', '1')
    const last = await eventually(() => put(store, '/d', '1'), 60_000)
    await seen.reached(last)
    expect(seen.events.map(({ key }) => key)).toEqual(['/a', '/c', '/d'])
  })

  it('reads the past from etcd when it is no longer in memory, and refuses to watch from it', async () => {
    const store = await open({ window: { maxEvents: 2, maxCharacters: 1_000_000 } })
    const then = await create(store, '/p/a', '1')
    for (const value of ['2', '3', '4']) await put(store, '/p/a', value)
    const past = await store.rangeAt({ prefix: '/p/', atRevision: then })
    expect(past.entries.map(({ value }) => value)).toEqual(['1'])
    expect(() => new Collector(store, '/p/', then)).toThrow(CompactedError)
  })

  it('speaks TLS, shows its certificate, and is refused without one', async () => {
    await running.stop(etcd)
    const authority = await createAuthority('etcd')
    const issue = (commonName: string): Promise<KeyPair> =>
      issueCertificate(authority, { commonName, addresses: ['127.0.0.1'], usages: ['server', 'client'] })
    const [server, client] = [await issue('etcd'), await issue('engine')]
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }
    await running.start(join(folder, 'secure'), ports, [
      ...['--cert-file', await file('server.crt', server.cert), '--key-file', await file('server.key', server.key)],
      ...['--client-cert-auth', '--trusted-ca-file', await file('ca.crt', authority.cert)],
    ])
    const servers = [`https://127.0.0.1:${String(ports.client)}`]
    const secure = { servers, tls: { ca: authority.cert, cert: client.cert, key: client.key } }
    const store = await eventually(() => open(secure), 60_000)
    expect(await create(store, '/a', '1')).toBe(2)
    await expect(open({ servers, tls: { ca: authority.cert } })).rejects.toThrow(ClosedError)
  })

  it('writes a snapshot that is whole', async () => {
    const store = await open()
    await create(store, '/a', '1')
    const file = join(folder, 'snapshot.db')
    expect(await store.snapshot(file)).toEqual({ revision: store.revision })
    expect((await stat(file)).size).toBeGreaterThan(10_000)
  })
})
