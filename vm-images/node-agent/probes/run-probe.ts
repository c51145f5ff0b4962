// Runs one probe once, whatever its kind.
import { connect } from 'node:net'
import type { Container, Probe } from '../../../common/api/generated/types.ts'
import { GrpcError, grpcCode } from '../runtime/grpc-channel.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'
import { grpcProbe } from './grpc-probe.ts'
import { httpProbe, resolvePort, type ProbeResult } from './http-probe.ts'

export interface ProbeTarget {
  runtime: Runtime
  container: Container
  containerId: string
  podIp: string
}

const maxOutputBytes = 10 * 1024

/** Rejects only when the probe could not be made at all (runtime away, no such port): that counts neither way. */
export function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  const { container, podIp } = target
  if (probe.exec !== undefined) return execProbe(probe.exec.command ?? [], target, timeoutMs)
  if (probe.httpGet !== undefined)
    return httpProbe({ ...probe.httpGet, port: resolvePort(probe.httpGet.port, container) }, podIp, timeoutMs)
  if (probe.tcpSocket !== undefined)
    return tcpProbe(probe.tcpSocket.host ?? podIp, resolvePort(probe.tcpSocket.port, container), timeoutMs)
  if (probe.grpc !== undefined) return grpcProbe(podIp, probe.grpc.port, probe.grpc.service ?? '', timeoutMs)
  return Promise.resolve({ ok: false, message: 'missing probe handler' })
}

async function execProbe(
  command: string[],
  { runtime, containerId }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    const answer = await runtime.call(
      RuntimeService.method.execSync,
      { containerId, cmd: command, timeout: BigInt(Math.ceil(timeoutMs / 1000)) },
      { timeoutMs: timeoutMs + 10_000 },
    )
    const output = Buffer.concat([answer.stdout, answer.stderr]).subarray(0, maxOutputBytes).toString('utf8')
    return { ok: answer.exitCode === 0, message: output }
  } catch (error) {
    if (error instanceof GrpcError && error.code === grpcCode.deadlineExceeded)
      return {
        ok: false,
        message: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${String(timeoutMs / 1000)}s`,
      }
    throw error
  }
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const target = `${host}:${String(port)}`
    const socket = connect({ host, port })
    const finish = (ok: boolean, message: string): void => {
      socket.destroy()
      resolve({ ok, message })
    }
    socket.setTimeout(timeoutMs, () => {
      finish(false, `dial tcp ${target}: i/o timeout`)
    })
    socket.on('connect', () => {
      finish(true, '')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      finish(
        false,
        `dial tcp ${target}: connect: ${error.code === 'ECONNREFUSED' ? 'connection refused' : error.message}`,
      )
    })
  })
}
