// Throughput of the switch alone: two peers of it on this machine, one sending frames as QEMU does (each frame in a write of its own, or
// several gathered), the other reading. No VM boots. Says what it measures as it goes (20 s in all), and ends with a cause when
// something does not come. Run: node scripts/bench/switch.ts [--seconds 3] [--json]
import { connect, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { silentLogger } from '../../common/machinery/logger.ts'
import { startSwitch } from '../../main/network/switch.ts'
import { type Endpoint, socketOptions } from '../../main/vm/endpoint.ts'

interface Result {
  frameBytes: number
  framesPerWrite: number
  framesPerSecond: number
  mbitPerSecond: number
  /** Of frames that reached the switch. */
  droppedPercent: number
  /** CPU of the whole process (switch and both peers) per gigabyte carried. */
  cpuSecondsPerGB: number
}

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } },
})
const seconds = Number(values.seconds)

/** The peers run in threads of their own so that the switch's thread is what is measured. */
const peerSource = `
const { connect } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
const { options, role, frameBytes, framesPerWrite } = workerData
const socket = connect(options)
if (role === 'sink') {
  let bytes = 0
  socket.on('data', (chunk) => { bytes += chunk.length })
  // Announces itself, so that the switch learns where its address is.
  const hello = Buffer.alloc(4 + 60)
  hello.writeUInt32BE(60, 0)
  Buffer.from('525400000001525400000002', 'hex').copy(hello, 4)
  socket.on('connect', () => { socket.write(hello); parentPort.postMessage('ready') })
  parentPort.on('message', () => parentPort.postMessage(bytes))
} else {
  const frame = Buffer.alloc(4 + frameBytes)
  frame.writeUInt32BE(frameBytes, 0)
  Buffer.from('525400000002525400000001', 'hex').copy(frame, 4)
  const piece = Buffer.concat(Array.from({ length: framesPerWrite }, () => frame))
  let stopped = false
  const pump = () => {
    if (stopped) return
    for (let i = 0; i < 64; i++) if (!socket.write(piece)) { socket.once('drain', () => setImmediate(pump)); return }
    setImmediate(pump)
  }
  socket.on('connect', () => parentPort.postMessage('ready'))
  parentPort.on('message', (message) => { if (message === 'go') pump(); else { stopped = true; parentPort.postMessage('stopped') } })
}`

function peer(endpoint: Endpoint, role: 'source' | 'sink', frameBytes: number, framesPerWrite: number): Worker {
  return new Worker(peerSource, {
    eval: true,
    workerData: { options: socketOptions(endpoint), role, frameBytes, framesPerWrite },
  })
}

const deadlineMs = 20_000

/** Rejects when the promise takes so long that it will never settle: a lost frame, a thread that does not start. */
async function arrival<T>(what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`${what} did not come within ${String(deadlineMs / 1000)} s`))
  }, deadlineMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const next = <T>(worker: Worker, what: string): Promise<T> =>
  arrival(
    what,
    new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    }),
  )

async function measure(folder: string, frameBytes: number, framesPerWrite: number): Promise<Result> {
  const lan = startSwitch({ socketPath: (name) => join(folder, `${name}.lan`), logger: silentLogger })
  const sink = peer(await lan.openPort('sink'), 'sink', frameBytes, framesPerWrite)
  await next(sink, 'the connection of the reading peer')
  const source = peer(await lan.openPort('source'), 'source', frameBytes, framesPerWrite)
  await next(source, 'the connection of the sending peer')
  try {
    const count = async (): Promise<number> => {
      sink.postMessage('count')
      return next<number>(sink, 'the count of the reading peer')
    }
    source.postMessage('go')
    // Half a second for the just-in-time compiler and full queues.
    await new Promise((resolve) => setTimeout(resolve, 500))
    const cpuBefore = process.cpuUsage()
    const [bytesBefore, timeBefore] = [await count(), performance.now()]
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    const [bytes, elapsedMs] = [(await count()) - bytesBefore, performance.now() - timeBefore]
    const cpu = process.cpuUsage(cpuBefore)
    const stats = await lan.stats()
    const frames = bytes / (frameBytes + 4)
    const dropped = stats['sink']?.droppedFrames ?? 0
    const received = stats['source']?.rxFrames ?? 1
    return {
      frameBytes,
      framesPerWrite,
      framesPerSecond: Math.round((frames / elapsedMs) * 1000),
      mbitPerSecond: Math.round((frames * frameBytes * 8) / elapsedMs / 1000),
      droppedPercent: Math.round((dropped / received) * 1000) / 10,
      cpuSecondsPerGB: Math.round(((cpu.user + cpu.system) / 1e6 / (bytes / 1e9)) * 100) / 100,
    }
  } finally {
    await Promise.all([source.terminate(), sink.terminate()])
    await lan.stop()
  }
}

/** One frame at a time, there and back, as a ping sees it. */
async function roundTrip(folder: string): Promise<{ p50Us: number; p99Us: number }> {
  const lan = startSwitch({ socketPath: (name) => join(folder, `${name}.lan`), logger: silentLogger })
  const open = async (name: string): Promise<Socket> => {
    const socket = connect(socketOptions(await lan.openPort(name)))
    await arrival('a connection to the switch', new Promise((resolve) => socket.once('connect', resolve)))
    return socket
  }
  const [a, b] = [await open('a'), await open('b')]
  try {
    const frame = (to: string, from: string): Buffer => {
      const bytes = Buffer.alloc(4 + 98)
      bytes.writeUInt32BE(98, 0)
      Buffer.from(to + from, 'hex').copy(bytes, 4)
      return bytes
    }
    const there = frame('525400000002', '525400000001')
    const back = frame('525400000001', '525400000002')
    b.on('data', () => b.write(back))
    const times: number[] = []
    const bounce = async (): Promise<void> => {
      for (let i = 0; i < 5_000; i++) {
        const start = performance.now()
        a.write(there)
        await new Promise((resolve) => a.once('data', resolve))
        if (i >= 500) times.push((performance.now() - start) * 1000)
      }
    }
    await arrival('the last of 5,000 frames, one after the other,', bounce())
    times.sort((x, y) => x - y)
    const at = (share: number): number => Math.round(times[Math.floor(times.length * share)] ?? 0)
    return { p50Us: at(0.5), p99Us: at(0.99) }
  } finally {
    a.destroy()
    b.destroy()
    await lan.stop()
  }
}

const folder = await mkdtemp(join(tmpdir(), 'orrery-bench-'))
try {
  const throughput: Result[] = []
  const loads = [
    [60, 1],
    [1514, 1],
    [1514, 32],
    [9014, 8],
    [65_550, 1],
  ] as const
  for (const [frameBytes, framesPerWrite] of loads) {
    console.error(
      `frames of ${String(frameBytes)} bytes, ${String(framesPerWrite)} to a write, for ${String(seconds)} s`,
    )
    throughput.push(await measure(folder, frameBytes, framesPerWrite))
  }
  console.error('one frame at a time')
  const latency = await roundTrip(folder)
  if (values.json) console.log(JSON.stringify({ seconds, throughput, latency }))
  else {
    console.table(throughput)
    console.log(
      `round trip of one frame through the switch and back: ${String(latency.p50Us)} µs (p50), ${String(latency.p99Us)} µs (p99)`,
    )
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
