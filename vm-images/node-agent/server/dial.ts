// POST /dial?host=IP&port=N: a TCP connection made from the node, as raw bytes both ways.
import { connect, isIP } from 'node:net'
import { badRequest, serviceUnavailable } from '../../../common/machinery/status.ts'
import { answerError } from './respond.ts'
import type { Handler } from './agent-server.ts'

const connectTimeoutMs = 10_000

export const dial: Handler = ({ stream, query }) => {
  const host = query.get('host') ?? ''
  const port = requirePort(query)
  if (isIP(host) === 0) throw badRequest('host must be an IP address')
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  const timer = setTimeout(() => {
    socket.destroy(new Error('timed out'))
  }, connectTimeoutMs)
  socket.on('connect', () => {
    clearTimeout(timer)
    stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
    stream.pipe(socket)
    socket.pipe(stream)
  })
  socket.on('error', (error) => {
    clearTimeout(timer)
    answerError(stream, serviceUnavailable(`cannot connect to ${host}:${String(port)}: ${error.message}`))
  })
  socket.on('close', () => {
    stream.end()
  })
  stream.on('close', () => {
    socket.destroy()
  })
}

export function requirePort(query: URLSearchParams): number {
  const port = Number(query.get('port'))
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw badRequest('port must be a number from 1 to 65535')
  return port
}
