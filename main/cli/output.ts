// What the command prints: plain lines, aligned tables, stable JSON; and how it ends.
import { StatusError } from '../../common/machinery/status.ts'
import { CodedError } from '../engine/coded-error.ts'

/** Exit codes, stable: scripts rely on them. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notRunning: 3, timeout: 4, unhealthy: 5 } as const

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** Columns padded to their widest cell, three spaces between, as kubectl prints. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('   ')
      .trimEnd()
  return [line(header), ...rows.map(line)].join('\n')
}

/** Prints an error for a person and gives the exit code it stands for. */
export function reportError(error: unknown): number {
  if (error instanceof CodedError) {
    process.stderr.write(`error: ${error.message}\n  ${error.hint}\n`)
    if (error.code === 'NotRunning') return exitCodes.notRunning
    if (error.code === 'Timeout') return exitCodes.timeout
    return error.code === 'BadArgument' ? exitCodes.usage : exitCodes.failed
  }
  if (error instanceof StatusError) {
    process.stderr.write(`error: ${error.message}${error.reason === '' ? '' : ` (${error.reason})`}\n`)
    return exitCodes.failed
  }
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  return exitCodes.failed
}
