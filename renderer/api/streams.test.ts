import { expect, it } from 'vitest'
import { streamAddress } from './streams.ts'

it('writes repeated keys and the WebSocket scheme', () => {
  expect(
    streamAddress('/api/v1/x', { command: ['sh', '-c', 'a b'], tty: true, none: undefined }, 'https://127.0.0.1:7443'),
  ).toBe('wss://127.0.0.1:7443/api/v1/x?command=sh&command=-c&command=a+b&tty=true')
})
