// GET /v1/status and POST /v1/poweroff.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { bootPhases, type AgentStatus, type BootPhase } from '../../../common/channel/agent-api.ts'
import { guestPaths } from '../../../common/channel/guest-config.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { Handler } from './agent-server.ts'
import { answerJson } from './respond.ts'

export const agentVersion = '0.1.0'

/** Lines "name uptimeSeconds" as init and agent write them. */
export function parsePhases(text: string): AgentStatus['phases'] {
  return text.split('\n').flatMap((line) => {
    const [name = '', seconds = ''] = line.trim().split(/\s+/)
    const phase = bootPhases.find((known) => known === name)
    const atMs = Math.round(Number(seconds) * 1000)
    return phase === undefined || Number.isNaN(atMs) ? [] : [{ name: phase satisfies BootPhase, atMs }]
  })
}

export function status(facts: { bootId: string; runtimeVersion: () => string }): Handler {
  return ({ stream }) => {
    const body: AgentStatus = {
      version: agentVersion,
      bootId: facts.bootId,
      phases: parsePhases(readPhases()),
      containerRuntime: `containerd ${facts.runtimeVersion()}`,
    }
    answerJson(stream, 200, body)
  }
}

export function powerOff(logger: Logger): Handler {
  return ({ stream }) => {
    logger.info('powering off as the engine asked')
    answerJson(stream, 202, { status: 'powering off' })
    spawn('/usr/sbin/poweroff', { detached: true, stdio: 'ignore' }).unref()
  }
}

function readPhases(): string {
  try {
    return readFileSync(guestPaths.phases, 'utf8')
  } catch {
    return ''
  }
}
