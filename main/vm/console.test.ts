// The QEMU side is a socket and a file written as QEMU writes them: each piece to both.
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../common/client/testing/eventually.ts'
import { openConsole, readConsoleTail, type SerialConsole } from './console.ts'
import type { Endpoint } from './endpoint.ts'

let folder = ''
let logPath = ''
let server: Server
let guest: Socket | undefined
let typed = ''
let open: SerialConsole[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-console-'))
  logPath = join(folder, 'console.log')
  typed = ''
  server = createServer((socket) => {
    guest = socket
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      typed += chunk.toString()
    })
  })
  await new Promise<void>((resolve) => server.listen(join(folder, 'con'), resolve))
})
afterEach(async () => {
  for (const console of open) {
    console.close()
    await console.ended
  }
  open = []
  guest?.destroy()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

async function prints(text: string): Promise<void> {
  guest?.write(text)
  await appendFile(logPath, text)
}

async function connectConsole(options: { fromOffset?: number; maxLogBytes?: number } = {}): Promise<SerialConsole> {
  const endpoint: Endpoint = { type: 'unix', path: join(folder, 'con') }
  const console = await openConsole({ endpoint, logPath, ...options })
  open.push(console)
  await eventually(() => guest !== undefined)
  return console
}

function reader(console: SerialConsole, historyBytes?: number): { text: string; stop: () => void } {
  const state = { text: '', stop: () => undefined as void }
  state.stop = console.attach(
    (chunk) => {
      state.text += chunk.toString()
    },
    historyBytes === undefined ? {} : { historyBytes },
  )
  return state
}

describe('serial console', () => {
  test('every reader gets earlier output and then all new output, once and in order', async () => {
    await prints('before the engine\n')
    const console = await connectConsole()
    const first = reader(console)
    await prints('one\n')
    await eventually(() => first.text === 'before the engine\none\n')
    const second = reader(console)
    for (let i = 0; i < 50; i++) await prints(`line ${String(i)}\n`)
    await eventually(() => first.text.endsWith('line 49\n') && second.text.endsWith('line 49\n'))
    expect(second.text).toBe(first.text)
    expect(first.text).toBe(await readFile(logPath, 'utf8'))
  })

  test('readers leave without disturbing others', async () => {
    const console = await connectConsole()
    const [a, b] = [reader(console), reader(console)]
    await prints('x')
    await eventually(() => a.text === 'x' && b.text === 'x')
    a.stop()
    await prints('y')
    await eventually(() => b.text === 'xy')
    expect(a.text).toBe('x')
  })

  test('history is limited to what was asked for', async () => {
    await prints('0123456789')
    const console = await connectConsole({ fromOffset: 10 })
    const short = reader(console, 4)
    await eventually(() => short.text === '6789')
    await prints('!')
    await eventually(() => short.text === '6789!')
  })

  test('typing reaches the guest', async () => {
    const console = await connectConsole()
    expect(console.write(Buffer.from('ls\r'))).toBe(true)
    await eventually(() => typed === 'ls\r')
  })

  test('a log that grows too large is cut, nothing is lost or doubled for readers, and history reaches back over the cut', async () => {
    const console = await connectConsole({ maxLogBytes: 1_000 })
    const all = reader(console)
    let printed = ''
    for (let i = 0; i < 40; i++) {
      const text = `${String(i).padStart(3, '0')} ${'.'.repeat(95)}\n`
      printed += text
      await prints(text)
      await eventually(() => all.text === printed)
    }
    expect((await stat(logPath)).size).toBeLessThan(1_200)
    const tail = (await readConsoleTail(logPath, 1_500)).toString()
    expect(printed.endsWith(tail)).toBe(true)
    expect(tail.length).toBeGreaterThanOrEqual(1_000)
  })

  test('ends with QEMU, after the last words', async () => {
    const console = await connectConsole()
    const all = reader(console)
    await prints('last words')
    guest?.end()
    await console.ended
    expect(all.text).toBe('last words')
    expect(console.write(Buffer.from('x'))).toBe(false)
  })

  test('there is no tail before there is a log', async () => {
    expect(await readConsoleTail(join(folder, 'none.log'), 100)).toHaveLength(0)
  })
})
