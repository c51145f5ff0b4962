// gRPC probes: grpc.health.v1.Health/Check must answer SERVING. The two tiny messages are written by hand.
import { connect, type IncomingHttpHeaders } from 'node:http2'
import type { ProbeResult } from './http-probe.ts'

const serving = 1

export function grpcProbe(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const target = `${host}:${String(port)}`
  return new Promise((resolve) => {
    const session = connect(`http://${target}`)
    const finish = (ok: boolean, message: string): void => {
      clearTimeout(timer)
      session.destroy()
      resolve({ ok, message })
    }
    const timer = setTimeout(() => {
      finish(
        false,
        `timeout: failed to connect service "${target}" within ${String(timeoutMs / 1000)}s: context deadline exceeded`,
      )
    }, timeoutMs)
    session.on('error', (error: Error) => {
      finish(false, `error: ${error.message}`)
    })
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    })
    const chunks: Buffer[] = []
    let status: string | undefined
    stream.on('response', (headers) => {
      status = headerText(headers['grpc-status']) ?? status
    })
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      status = headerText(headers['grpc-status']) ?? status
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', (error: Error) => {
      finish(false, `error: ${error.message}`)
    })
    stream.on('end', () => {
      if (status !== '0') {
        finish(false, `error: health rpc failed with status code ${status ?? 'unknown'}`)
        return
      }
      // HealthCheckResponse { ServingStatus status = 1 }: tag 0x08, then the value; absent means UNKNOWN.
      const message = Buffer.concat(chunks).subarray(5)
      const value = message[0] === 0x08 ? (message[1] ?? 0) : 0
      finish(
        value === serving,
        value === serving ? 'SERVING' : `service unhealthy (responded with "${names[value] ?? 'UNKNOWN'}")`,
      )
    })
    const name = Buffer.from(service, 'utf8')
    const body = service === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name])
    const header = Buffer.alloc(5)
    header.writeUInt32BE(body.length, 1)
    stream.end(Buffer.concat([header, body]))
  })
}

const names = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const headerText = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value
