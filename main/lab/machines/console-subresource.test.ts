import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { ChannelStream } from '../../apiserver/apiserver.ts'
import type { ConsoleListener, SerialConsole } from '../../vm/console.ts'
import { type ConsoleSource, consoleSubresource } from './console-subresource.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-console-view-'))
})
afterEach(() => rm(folder, { recursive: true }))

interface Boot extends SerialConsole {
  print(text: string): void
  off(): void
  typed: string
}

function newBoot(history: string): Boot {
  const ended = Promise.withResolvers<undefined>()
  const listeners = new Set<ConsoleListener>()
  const boot: Boot = {
    typed: '',
    ended: ended.promise,
    attach(listener, { historyBytes = 0 } = {}) {
      listeners.add(listener)
      if (historyBytes > 0) listener(Buffer.from(history))
      return () => listeners.delete(listener)
    },
    write(bytes) {
      boot.typed += Buffer.from(bytes).toString()
      return true
    },
    tail: () => Promise.resolve(Buffer.alloc(0)),
    close: () => undefined,
    print(text) {
      for (const listener of listeners) listener(Buffer.from(text))
    },
    off() {
      ended.resolve(undefined)
    },
  }
  return boot
}

/** A viewer's end of the stream. */
function viewer(options: { stuck?: boolean } = {}): {
  channels: ChannelStream
  seen: () => string
  type: (text: string) => void
  leave: () => void
  closed: () => boolean
  sent: () => number
} {
  let text = ''
  let sent = 0
  let closed = false
  const input: { channel: number; payload: Uint8Array }[] = []
  let wake = (): void => undefined
  let left = false
  return {
    channels: {
      async send(channel, payload) {
        sent += payload.length
        if (options.stuck === true) await new Promise(() => undefined)
        if (channel === 1) text += Buffer.from(payload).toString()
      },
      async *receive() {
        while (!left) {
          const next = input.shift()
          if (next === undefined)
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          else yield next
        }
      },
      close() {
        closed = true
      },
    },
    seen: () => text,
    sent: () => sent,
    closed: () => closed,
    type(typed) {
      input.push({ channel: 0, payload: Buffer.from(typed) })
      wake()
    },
    leave() {
      left = true
      wake()
    },
  }
}

function newSource(): ConsoleSource & { now: SerialConsole | undefined; changed(): void } {
  const listeners = new Set<(name: string) => void>()
  const source = {
    now: undefined as SerialConsole | undefined,
    console: () => source.now,
    consoleLog: () => join(folder, 'console.log'),
    subscribe(listener: (name: string) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    changed() {
      for (const listener of listeners) listener('node-1')
    },
  }
  return source
}

const request = (
  signal: AbortSignal,
): Parameters<NonNullable<ReturnType<typeof consoleSubresource>['onStream']>>[0] => ({
  user: { name: 'x', groups: [] },
  name: 'node-1',
  query: new URLSearchParams(),
  signal,
})

test('a viewer sees earlier output, new output, the machine going off and its next boot, and types', async () => {
  const source = newSource()
  const first = newBoot('earlier\n')
  source.now = first
  const person = viewer()
  const done = consoleSubresource(source).onStream?.(request(new AbortController().signal), person.channels)
  await eventually(() => person.seen() === 'earlier\n')
  first.print('now\n')
  person.type('ls\r')
  await eventually(() => person.seen() === 'earlier\nnow\n' && first.typed === 'ls\r')
  source.now = undefined
  first.off()
  await eventually(() => person.seen().includes('the machine went off'))
  const second = newBoot('old text again')
  source.now = second
  source.changed()
  source.changed()
  second.print('booting\n')
  await eventually(() => person.seen().endsWith('booting\n'))
  expect(person.seen()).not.toContain('old text again')
  person.leave()
  await done
  expect(person.closed()).toBe(true)
})

test('the log of a machine that is off is shown', async () => {
  await writeFile(join(folder, 'console.log'), 'Kernel panic\n')
  const person = viewer()
  const done = consoleSubresource(newSource()).onStream?.(request(new AbortController().signal), person.channels)
  await eventually(() => person.seen().startsWith('Kernel panic\n') && person.seen().includes('the machine is off'))
  person.leave()
  await done
})

test('a viewer that does not read costs a bounded amount of memory', async () => {
  const source = newSource()
  const boot = newBoot('x')
  source.now = boot
  const person = viewer({ stuck: true })
  const done = consoleSubresource(source).onStream?.(request(new AbortController().signal), person.channels)
  await eventually(() => person.sent() > 0)
  for (let i = 0; i < 100; i++) boot.print('y'.repeat(1024 * 1024))
  expect(person.sent()).toBe(1)
  person.leave()
  await done
})
