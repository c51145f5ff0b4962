// The switch's thread: joins the pure core with the sockets. Frames that arrive together and go the same way are passed on as one
// piece of the very buffer they came in; that batching is where the throughput comes from.
import { parentPort } from 'node:worker_threads'
import { lengthBytes } from './frame-stream.ts'
import { createSwitchCore } from './switch-core.ts'
import type { FromWorker, PortStats, ToWorker } from './switch-messages.ts'
import { SwitchPort } from './switch-port.ts'

if (parentPort === null) throw new Error('switch-worker.ts runs as a worker thread only')
const main = parentPort
const say = (message: FromWorker): void => {
  main.postMessage(message)
}

const core = createSwitchCore({ now: () => performance.now() })
const portsByName = new Map<string, SwitchPort>()
const portsById = new Map<number, SwitchPort>()
let nextId = 1

/** Consecutive frames of the current chunk with the same destinations. */
const run: { to: readonly number[]; buffer: Buffer; start: number; end: number; frames: number } = {
  to: [],
  buffer: Buffer.alloc(0),
  start: 0,
  end: 0,
  frames: 0,
}
const written = new Set<SwitchPort>()

function passOn(): void {
  if (run.frames === 0) return
  for (const id of run.to) {
    const port = portsById.get(id)
    if (port === undefined) continue
    port.send(run.buffer, run.start, run.end, run.frames)
    written.add(port)
  }
  run.frames = 0
}

function addPort(name: string): SwitchPort {
  const id = nextId++
  const port = new SwitchPort(id, {
    onFrame(buffer, start, length) {
      const to = core.ingress(id, buffer, start, length)
      const from = start - lengthBytes
      if (run.frames > 0 && run.to === to && run.end === from) {
        run.end = start + length
        run.frames++
        return
      }
      passOn()
      if (to.length === 0) return
      run.to = to
      run.buffer = buffer
      run.start = from
      run.end = start + length
      run.frames = 1
    },
    onChunkEnd() {
      passOn()
      for (const other of written) other.flush()
      written.clear()
    },
    onLink(up) {
      say({ type: 'link', name, up })
    },
  })
  core.addPort(id)
  portsByName.set(name, port)
  portsById.set(id, port)
  return port
}

async function removePort(name: string): Promise<void> {
  const port = portsByName.get(name)
  if (port === undefined) return
  portsByName.delete(name)
  portsById.delete(port.id)
  core.removePort(port.id)
  await port.close()
}

async function handle(message: ToWorker): Promise<FromWorker> {
  const { call } = message
  switch (message.type) {
    case 'open':
      await removePort(message.name)
      try {
        await addPort(message.name).listen(message.endpoint)
      } catch (error) {
        await removePort(message.name).catch(() => undefined)
        throw error
      }
      return { type: 'done', call }
    case 'close':
      await removePort(message.name)
      return { type: 'done', call }
    case 'stats': {
      const ports: Record<string, PortStats> = {}
      for (const [name, port] of portsByName) ports[name] = port.stats()
      return { type: 'stats', call, ports }
    }
  }
}

main.on('message', (message: ToWorker) => {
  handle(message).then(say, (error: unknown) => {
    say({ type: 'done', call: message.call, error: error instanceof Error ? error.message : String(error) })
  })
})
