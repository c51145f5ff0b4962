import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { openAuditWebhook } from './webhook.ts'

interface List {
  kind: string
  items: { n: number }[]
}

let server: Server
const lists: List[] = []
afterEach(() => {
  lists.length = 0
  server.closeAllConnections()
  server.close()
})

async function start(answer: () => number): Promise<string> {
  server = createServer((req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      const code = answer()
      if (code === 200) lists.push(JSON.parse(text) as List)
      res.writeHead(code).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/audit`
}

it('sends so many events at a time, and the rest at the end', async () => {
  const url = await start(() => 200)
  const log = openAuditWebhook({ endpoint: { url }, clock: systemClock, logger: silentLogger, batchSize: 2 })
  for (const n of [1, 2, 3, 4, 5]) log.sink(JSON.stringify({ n }))
  await log.close()
  expect(lists.map(({ kind, items }) => [kind, items.map(({ n }) => n)])).toEqual([
    ['EventList', [1, 2]],
    ['EventList', [3, 4]],
    ['EventList', [5]],
  ])
})

it('sends what there is after a while', async () => {
  const url = await start(() => 200)
  const log = openAuditWebhook({ endpoint: { url }, clock: systemClock, logger: silentLogger, maxWaitMs: 1 })
  log.sink('{"n":1}')
  await expect.poll(() => lists.length).toBe(1)
  await log.close()
})

it('loses what nobody takes, and goes on', async () => {
  let refuse = true
  const url = await start(() => (refuse ? 403 : 200))
  const log = openAuditWebhook({ endpoint: { url }, clock: systemClock, logger: silentLogger, batchSize: 1 })
  log.sink('{"n":1}')
  await log.close()
  refuse = false
  const again = openAuditWebhook({ endpoint: { url }, clock: systemClock, logger: silentLogger, bufferSize: 1 })
  again.sink('{"n":2}')
  again.sink('{"n":3}')
  await again.close()
  expect(lists.map(({ items }) => items.map(({ n }) => n))).toEqual([[2]])
})
