import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { isPortFree } from './endpoint.ts'
import { chooseForwardPort, preferredPort } from './forward-port.ts'

test('the same machine gets the same port while it is free, others get others', async () => {
  const port = await chooseForwardPort({ seed: '/home/a node-1' })
  expect(await chooseForwardPort({ seed: '/home/a node-1' })).toBe(port)
  expect(preferredPort('/home/a node-1')).not.toBe(preferredPort('/home/b node-1'))
  expect(port).toBeGreaterThanOrEqual(21_000)
  expect(port).toBeLessThan(30_000)
})

test('a taken or reserved port is stepped over', async () => {
  const first = await chooseForwardPort({ seed: 'taken' })
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(first, '127.0.0.1', resolve))
  try {
    expect(await isPortFree(first)).toBe(false)
    const second = await chooseForwardPort({ seed: 'taken', last: first })
    expect(second).not.toBe(first)
    expect(await chooseForwardPort({ seed: 'taken', avoid: new Set([second]) })).not.toBe(second)
  } finally {
    server.close()
  }
})
