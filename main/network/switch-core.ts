// A learning layer-2 switch (IEEE 802.1D without spanning tree: the lab's cables form a star). Pure: frames in, port numbers out;
// no sockets, no timers. The arrays it returns are shared and stay the same object while the ports do, so that a caller can see
// cheaply that two frames go the same way.

/** MAC addresses not heard of for this long are forgotten (802.1D's default). */
export const macAgeMs = 300_000
/** More stations than any lab has; a guest inventing addresses cannot grow the table further. */
const maxStations = 4_096
/** A full table is searched for forgotten stations at most this often: a flood of new addresses must not cost a search each. */
const sweepEveryMs = 10_000
const headerBytes = 14

export interface SwitchCore {
  addPort(port: number): void
  removePort(port: number): void
  /** Ports that shall get the frame at bytes[offset, offset + length). Empty: drop it. Never contains `port`. */
  ingress(port: number, bytes: Uint8Array, offset: number, length: number): readonly number[]
  /** Where a MAC ("52:54:00:…") was last seen. */
  portOf(mac: string): number | undefined
}

interface Station {
  port: number
  seenMs: number
}

const nowhere: readonly number[] = []

export function createSwitchCore(options: { now: () => number }): SwitchCore {
  const { now } = options
  const stations = new Map<number, Station>()
  const single = new Map<number, readonly number[]>()
  let sweepAgainMs = Number.NEGATIVE_INFINITY
  /** Per ingress port: all the others. */
  let flood = new Map<number, readonly number[]>()

  const portsChanged = (): void => {
    flood = new Map([...single.keys()].map((port) => [port, [...single.keys()].filter((other) => other !== port)]))
  }

  const learn = (mac: number, port: number, timeMs: number): void => {
    const station = stations.get(mac)
    if (station !== undefined) {
      station.port = port
      station.seenMs = timeMs
      return
    }
    if (stations.size >= maxStations) {
      if (timeMs < sweepAgainMs) return
      sweepAgainMs = timeMs + sweepEveryMs
      for (const [other, { seenMs }] of stations) if (timeMs - seenMs > macAgeMs) stations.delete(other)
      if (stations.size >= maxStations) return
    }
    stations.set(mac, { port, seenMs: timeMs })
  }

  return {
    addPort(port) {
      single.set(port, [port])
      portsChanged()
    },
    removePort(port) {
      single.delete(port)
      for (const [mac, station] of stations) if (station.port === port) stations.delete(mac)
      portsChanged()
    },
    ingress(port, bytes, offset, length) {
      const others = flood.get(port)
      if (others === undefined || length < headerBytes) return nowhere
      const timeMs = now()
      // A group address as source is invalid (802.3 3.2.3): not learned, and dropped as bridges do.
      if (((bytes[offset + 6] ?? 0) & 1) === 1) return nowhere
      learn(macAt(bytes, offset + 6), port, timeMs)
      if (((bytes[offset] ?? 0) & 1) === 1) return isLinkLocal(bytes, offset) ? nowhere : others
      const station = stations.get(macAt(bytes, offset))
      if (station === undefined || timeMs - station.seenMs > macAgeMs) return others
      if (station.port === port) return nowhere
      return single.get(station.port) ?? others
    },
    portOf(mac) {
      const key = mac.split(':').reduce((sum, part) => sum * 256 + Number.parseInt(part, 16), 0)
      return stations.get(key)?.port
    },
  }
}

/** The 48 bits as a number; exact, because doubles hold 53. */
function macAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  const low = ((bytes[at + 3] ?? 0) << 16) | ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0)
  return high * 0x1000000 + low
}

/** 01-80-C2-00-00-00 to -0F are for the link itself and never forwarded (802.1D 7.12.6). */
function isLinkLocal(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x01 &&
    bytes[at + 1] === 0x80 &&
    bytes[at + 2] === 0xc2 &&
    bytes[at + 3] === 0 &&
    bytes[at + 4] === 0 &&
    ((bytes[at + 5] ?? 0) & 0xf0) === 0
  )
}
