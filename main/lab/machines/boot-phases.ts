// Reads the boot phases that the guest's init prints on the serial console: "orrery: phase Init 2.41" or "orrery: Init after 2.41 s",
// seconds since the kernel started.
import { type BootPhase, bootPhases } from '../../../common/channel/agent-api.ts'

export interface PhaseLine {
  readonly phase: BootPhase
  /** Milliseconds since kernel start, by the guest's clock. */
  readonly uptimeMs: number
}

const pattern = /orrery: (?:phase )?([A-Z][A-Za-z]+)(?: after)? (\d+(?:\.\d+)?)/
/** A line without an end that is longer than this is no phase line. */
const maxLine = 4_096

/** Feed it console output as it comes; it calls back once per phase line. */
export class PhaseReader {
  readonly #onPhase: (line: PhaseLine) => void
  #partial = ''

  constructor(onPhase: (line: PhaseLine) => void) {
    this.#onPhase = onPhase
  }

  push(chunk: Buffer): void {
    const lines = (this.#partial + chunk.toString('latin1')).split('\n')
    this.#partial = (lines.pop() ?? '').slice(-maxLine)
    for (const line of lines) {
      const match = pattern.exec(line)
      const phase = bootPhases.find((name) => name === match?.[1])
      if (phase !== undefined) this.#onPhase({ phase, uptimeMs: Math.round(Number(match?.[2]) * 1000) })
    }
  }
}
