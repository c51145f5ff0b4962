// Pure: what a hollow node understands of a container's command. It runs nothing; but where the command is a plain `sleep`, `true`,
// `exit 3` or the like, or a shell script of nothing else, when and how it would end can be told. Of anything else it is taken to run
// until it is stopped.
import type { Container } from '../../common/api/generated/types.ts'

export interface Program {
  /** How long it runs; Infinity: until it is stopped. */
  readonly runsMs: number
  readonly exitCode: number
}

export const endless: Program = { runsMs: Infinity, exitCode: 0 }

const shells = new Set(['sh', 'bash', 'ash', 'dash'])
/** They print something and are done. */
const printers = new Set(['echo', 'printf', 'date', 'env', 'hostname', 'id', 'pwd', 'uname', 'whoami'])
/** A script with any of these is more than a list of commands. */
const beyondUs = /[|<>()`{}*?[\]\\#]|\$\(|&(?!&)(?<!&&)/

export function programOf({ command = [], args = [] }: Container): Program {
  const words = [...command, ...args]
  const [first = '', option = '', script] = words
  const name = nameOf(first)
  if (!shells.has(name)) return stepOf([name, ...words.slice(1)], 0) ?? endless
  return /^-e?c$/.test(option) && script !== undefined ? scriptOf(script, option.includes('e')) : endless
}

function scriptOf(script: string, stopsAtFailure: boolean): Program {
  if (beyondUs.test(script)) return endless
  let runsMs = 0
  let exitCode = 0
  for (const line of script.split(/;|\n/)) {
    for (const [index, text] of line.split('&&').entries()) {
      const words = text.replaceAll(/["']/g, ' ').trim().split(/\s+/)
      if (words[0] === '') continue
      if (index > 0 && exitCode !== 0) break
      const step = stepOf(words, exitCode)
      if (step === undefined) return endless
      runsMs += step.runsMs
      exitCode = step.exitCode
      if (words[0] === 'exit' || runsMs === Infinity) return { runsMs, exitCode }
    }
    if (stopsAtFailure && exitCode !== 0) break
  }
  return { runsMs, exitCode }
}

/** Undefined: not understood. */
function stepOf([command = '', ...rest]: readonly string[], lastExitCode: number): Program | undefined {
  const name = nameOf(command)
  if (printers.has(name) || name === 'true' || name === ':') return { runsMs: 0, exitCode: 0 }
  if (name === 'false') return { runsMs: 0, exitCode: 1 }
  if (name === 'exit') {
    const code = Number(rest[0] ?? lastExitCode)
    return Number.isInteger(code) && code >= 0 && code <= 255 ? { runsMs: 0, exitCode: code } : undefined
  }
  if (name !== 'sleep') return undefined
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(rest[0] ?? '')
  if (match === null) return rest[0] === 'infinity' ? endless : undefined
  const unitMs = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? ''] ?? 1000
  return { runsMs: Number(match[1]) * unitMs, exitCode: 0 }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
