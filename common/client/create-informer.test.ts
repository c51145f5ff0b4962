import { afterEach, describe, expect, it } from 'vitest'
import type { ConfigMap } from '../api/generated/types.ts'
import { silentLogger } from '../machinery/logger.ts'
import { gone } from '../machinery/status.ts'
import { createClient } from './create-client.ts'
import type { IndexedInformer } from './create-informer.ts'
import { createInformer } from './create-informer.ts'
import { configMaps } from './resources.ts'
import { createManualClock, settle } from './testing/manual-clock.ts'
import { createScriptedTransport, listOf } from './testing/scripted-transport.ts'
import { ConnectionError } from './transport.ts'

const map = (name: string, resourceVersion: string, team = 'a', uid = name): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', uid, resourceVersion, labels: { team } },
})

const started: IndexedInformer<ConfigMap>[] = []
afterEach(() => {
  for (const informer of started.splice(0)) informer.stop()
})

function setUp() {
  const transport = createScriptedTransport()
  const clock = createManualClock()
  const informer = createInformer({
    client: createClient(transport),
    resource: configMaps,
    indexes: { team: (object: ConfigMap) => [object.metadata.labels?.['team'] ?? ''] },
    logger: silentLogger,
    clock,
    random: () => 0.5,
  })
  started.push(informer)
  const seen: string[] = []
  informer.subscribe({
    onAdd: (object) => seen.push(`+${object.metadata.name ?? ''}`),
    onUpdate: (object, old) =>
      seen.push(
        `~${object.metadata.name ?? ''}@${old.metadata.resourceVersion ?? ''}>${object.metadata.resourceVersion ?? ''}`,
      ),
    onDelete: (object) => seen.push(`-${object.metadata.name ?? ''}`),
  })
  return { transport, clock, informer, seen }
}

describe('informer', () => {
  it('lists, then follows the watch from the list', async () => {
    const { transport, informer, seen } = setUp()
    transport.answer = () => listOf('10', [map('one', '3'), map('two', '9', 'b')])
    informer.start()
    await informer.synced
    await settle()
    expect(transport.watches[0]?.request.query).toMatchObject({
      resourceVersion: '10',
      watch: true,
      allowWatchBookmarks: true,
    })
    transport.watches[0]?.send({ type: 'MODIFIED', object: map('one', '11', 'b') })
    transport.watches[0]?.send({ type: 'DELETED', object: map('two', '12', 'b') })
    transport.watches[0]?.send({ type: 'ADDED', object: map('three', '13', 'b') })
    await settle()
    expect(seen).toEqual(['+one', '+two', '~one@3>11', '-two', '+three'])
    expect(informer.byIndex('team', 'a')).toEqual([])
    expect(informer.byIndex('team', 'b').map((object) => object.metadata.name)).toEqual(['one', 'three'])
    expect(informer.get('default/three')?.metadata.resourceVersion).toBe('13')
  })

  it('resumes from the last bookmark when the server closes the watch', async () => {
    const { transport, informer, clock } = setUp()
    transport.answer = () => listOf('10', [])
    informer.start()
    await informer.synced
    await settle()
    transport.watches[0]?.send({
      type: 'BOOKMARK',
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: '40' } },
    })
    transport.watches[0]?.end()
    await clock.advance(1_000)
    expect(transport.requests).toHaveLength(1)
    expect(transport.watches[1]?.request.query).toMatchObject({ resourceVersion: '40' })
  })

  it('lists again on 410 and reports what it missed, once', async () => {
    const { transport, informer, clock, seen } = setUp()
    transport.answer = () => listOf('10', [map('one', '3'), map('two', '9'), map('same', '4')])
    informer.start()
    await informer.synced
    await settle()
    transport.answer = () => listOf('50', [map('one', '20'), map('three', '30'), map('same', '4')])
    seen.length = 0
    transport.watches[0]?.end(gone('too old resource version'))
    await clock.advance(10)
    expect(seen).toEqual(['~one@3>20', '+three', '-two'])
    expect(informer.problem).toBeUndefined()
    expect(transport.watches[1]?.request.query).toMatchObject({ resourceVersion: '50' })
  })

  it('shows an object that was deleted and made again as two', async () => {
    const { transport, informer, clock, seen } = setUp()
    transport.answer = () => listOf('10', [map('one', '3')])
    informer.start()
    await informer.synced
    await settle()
    transport.answer = () => listOf('50', [map('one', '20', 'a', 'other-uid')])
    transport.watches[0]?.end(gone('too old resource version'))
    await clock.advance(10)
    expect(seen).toEqual(['+one', '-one', '+one'])
  })

  it('says why it is not connected, backs off, and goes on from where it was', async () => {
    const { transport, informer, clock } = setUp()
    transport.answer = () => listOf('10', [map('one', '3')])
    informer.start()
    await informer.synced
    await settle()
    transport.watches[0]?.end(new ConnectionError('the cable is out'))
    await settle()
    expect(informer.problem?.message).toBe('the cable is out')
    expect(informer.list()).toHaveLength(1)
    await clock.advance(100)
    expect(transport.watches).toHaveLength(1)
    await clock.advance(200)
    expect(transport.watches[1]?.request.query).toMatchObject({ resourceVersion: '10' })
    expect(informer.problem).toBeUndefined()
    expect(transport.requests).toHaveLength(1)
  })

  it('grows the delay while the API cannot be reached', async () => {
    const { transport, informer, clock } = setUp()
    transport.answer = () => {
      throw new ConnectionError('refused')
    }
    informer.start()
    await clock.advance(60_000)
    expect(transport.requests.length).toBeGreaterThan(5)
    expect(transport.requests.length).toBeLessThan(14)
    expect(informer.hasSynced()).toBe(false)
    transport.answer = () => listOf('1', [])
    await clock.advance(30_000)
    await informer.synced
  })

  it('gives a late subscriber and a late index everything', async () => {
    const { transport, informer } = setUp()
    transport.answer = () => listOf('10', [map('one', '3'), map('two', '9')])
    informer.start()
    await informer.synced
    const late: string[] = []
    informer.subscribe({ onAdd: (object) => late.push(object.metadata.name ?? '') })
    informer.addIndexes({ name: (object) => [object.metadata.name ?? ''] })
    expect(late).toEqual(['one', 'two'])
    expect(informer.byIndex('name', 'two')).toHaveLength(1)
  })

  it('rejects `synced` when stopped before its first list', async () => {
    const { informer } = setUp()
    informer.stop()
    await expect(informer.synced).rejects.toThrow('stopped')
  })
})
