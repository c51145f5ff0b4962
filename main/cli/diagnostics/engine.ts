import { createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { defaultPort } from '../../engine/listen.ts'
import { runningEngine } from '../../engine/engine-info.ts'
import { connectEngine } from '../engine-client.ts'
import { machines } from '../../../common/client/resources.ts'
import type { Diagnostic } from './diagnostic.ts'

export const engine: Diagnostic = {
  name: 'Engine',
  async check({ paths }) {
    const info = await runningEngine(paths)
    if (!info) {
      return existsSync(paths.engineInfo)
        ? {
            verdict: 'note',
            found: 'not running; the last one did not stop cleanly',
            remedy: 'orrery up takes over whatever it left, machines included.',
          }
        : { verdict: 'note', found: 'not running', remedy: 'Start it with: orrery up' }
    }
    const client = await connectEngine(paths)
    try {
      const { items } = await client.client.list(machines)
      const failed = items.filter((machine) => machine.status?.phase === 'Failed')
      const found = `process ${String(info.pid)} answers at ${info.server}, ${String(items.length)} machines`
      const [first] = failed
      if (first)
        return {
          verdict: 'bad',
          found: `${found}; ${first.metadata.name ?? ''} failed: ${first.status?.message ?? ''}`,
          remedy: `orrery console ${first.metadata.name ?? ''} shows its last words`,
        }
      return { verdict: 'good', found }
    } finally {
      client.close()
    }
  },
}

export const port: Diagnostic = {
  name: 'Port',
  async check({ paths }) {
    const info = await runningEngine(paths)
    if (info) return { verdict: 'good', found: `${info.server} is this lab's own` }
    const server = createServer()
    server.listen(defaultPort, '127.0.0.1')
    try {
      await once(server, 'listening')
      return { verdict: 'good', found: `127.0.0.1:${String(defaultPort)} is free` }
    } catch {
      return {
        verdict: 'note',
        found: `127.0.0.1:${String(defaultPort)} is in use`,
        remedy: 'Nothing to do: the engine takes a free port and remembers it.',
      }
    } finally {
      server.close()
    }
  },
}
