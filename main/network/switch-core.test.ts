import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSwitchCore, macAgeMs, type SwitchCore } from './switch-core.ts'

const mac = (n: number): string => `52:54:00:00:00:${n.toString(16).padStart(2, '0')}`
const broadcast = 'ff:ff:ff:ff:ff:ff'

function frame(to: string, from: string): Buffer {
  const bytes = Buffer.alloc(60)
  Buffer.from((to + from).replaceAll(':', ''), 'hex').copy(bytes)
  return bytes
}

function setUp(ports = 3): {
  core: SwitchCore
  send: (port: number, to: string, from: string) => readonly number[]
  clock: { ms: number }
} {
  const clock = { ms: 0 }
  const core = createSwitchCore({ now: () => clock.ms })
  for (let port = 1; port <= ports; port++) core.addPort(port)
  return { core, clock, send: (port, to, from) => core.ingress(port, frame(to, from), 0, 60) }
}

describe('switch core', () => {
  test('floods until it knows, then sends to one port only', () => {
    const { send } = setUp()
    expect(send(1, mac(2), mac(1))).toEqual([2, 3])
    expect(send(2, mac(1), mac(2))).toEqual([1])
    expect(send(1, mac(2), mac(1))).toEqual([2])
  })

  test('broadcast and multicast go everywhere but back', () => {
    const { send } = setUp()
    expect(send(2, broadcast, mac(2))).toEqual([1, 3])
    expect(send(2, '01:00:5e:00:00:fb', mac(2))).toEqual([1, 3])
  })

  test('a frame for a station on the same port goes nowhere', () => {
    const { send } = setUp()
    send(1, broadcast, mac(1))
    expect(send(1, mac(1), mac(9))).toEqual([])
  })

  test('a station that moves is found at its new port', () => {
    const { core, send } = setUp()
    send(1, broadcast, mac(7))
    send(3, broadcast, mac(7))
    expect(core.portOf(mac(7))).toBe(3)
    expect(send(2, mac(7), mac(2))).toEqual([3])
  })

  test('silent stations are forgotten', () => {
    const { clock, send } = setUp()
    send(2, broadcast, mac(2))
    clock.ms += macAgeMs + 1
    expect(send(1, mac(2), mac(1))).toEqual([2, 3])
  })

  test('a port that is gone gets nothing and takes its stations along', () => {
    const { core, send } = setUp()
    send(2, broadcast, mac(2))
    core.removePort(2)
    expect(send(1, mac(2), mac(1))).toEqual([3])
    expect(send(2, broadcast, mac(2))).toEqual([])
  })

  test.each([
    ['link-local group addresses', frame('01:80:c2:00:00:00', mac(1))],
    ['a group address as source', frame(mac(2), '01:00:5e:00:00:01')],
    ['runts', frame(mac(2), mac(1)).subarray(0, 13)],
    ['nothing', Buffer.alloc(0)],
  ])('drops %s', (_, bytes) => {
    const { core } = setUp()
    expect(core.ingress(1, bytes, 0, bytes.length)).toEqual([])
  })

  test('invented source addresses do not grow the table without bound', () => {
    const { core, clock } = setUp(2)
    for (let n = 0; n < 10_000; n++)
      core.ingress(
        1,
        frame(
          broadcast,
          `52:54:01:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`,
        ),
        0,
        60,
      )
    expect(core.portOf('52:54:01:00:27:0f')).toBeUndefined()
    clock.ms += macAgeMs + 1
    core.ingress(2, frame(broadcast, mac(1)), 0, 60)
    expect(core.portOf(mac(1))).toBe(2)
  })

  test('the same way gives the same array, so that runs of frames are seen cheaply', () => {
    const { send } = setUp()
    send(2, broadcast, mac(2))
    expect(send(1, mac(2), mac(1))).toBe(send(1, mac(2), mac(1)))
    expect(send(1, broadcast, mac(1))).toBe(send(1, broadcast, mac(1)))
  })

  test('property: behaves like a switch with unlimited memory and a plain table', () => {
    const step = fc.record({
      port: fc.integer({ min: 1, max: 4 }),
      to: fc.integer({ min: 0, max: 6 }),
      from: fc.integer({ min: 1, max: 6 }),
      waitMs: fc.constantFrom(0, 1, macAgeMs / 2, macAgeMs + 1),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, send } = setUp(4)
        const model = new Map<number, { port: number; ms: number }>()
        for (const { from, port, to, waitMs } of steps) {
          clock.ms += waitMs
          const got = send(port, to === 0 ? broadcast : mac(to), mac(from))
          model.set(from, { port, ms: clock.ms })
          const known = to === 0 ? undefined : model.get(to)
          const others = [1, 2, 3, 4].filter((other) => other !== port)
          const wanted =
            known === undefined || clock.ms - known.ms > macAgeMs ? others : known.port === port ? [] : [known.port]
          expect(got).toEqual(wanted)
        }
      }),
    )
  })
})
