// Set-up progress a person can follow: one line per step with the time it took, live detail while it runs, cause and remedy on failure.
const { stderr } = process

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${String(Math.round(ms / 1000))} s`
}

export type Detail = (text: string) => void

/** Runs one step. A returned string is shown beside the time; a thrown error is printed with its hint and ends the program. */
export async function step<T>(name: string, work: (detail: Detail) => Promise<T>): Promise<T> {
  const started = Date.now()
  let detail = ''
  const draw = (): void => {
    if (stderr.isTTY)
      stderr.write(
        `\r\u001b[K● ${name} … ${seconds(Date.now() - started)}${detail === '' ? '' : `  ${detail.slice(0, Math.max(20, stderr.columns - 40))}`}`,
      )
  }
  if (stderr.isTTY) draw()
  else stderr.write(`● ${name} …\n`)
  const ticker = setInterval(draw, 250)
  let lastPlain = Date.now()
  try {
    const result = await work((text) => {
      detail = text
      // Without a terminal a line every 15 s is enough to see that it lives.
      if (!stderr.isTTY && Date.now() - lastPlain > 15_000) {
        lastPlain = Date.now()
        stderr.write(`    ${name}: ${text}\n`)
      }
    })
    clearInterval(ticker)
    stderr.write(
      `${stderr.isTTY ? '\r\u001b[K' : ''}✓ ${name}${typeof result === 'string' ? `: ${result}` : ''} (${seconds(Date.now() - started)})\n`,
    )
    return result
  } catch (error) {
    clearInterval(ticker)
    const message = error instanceof Error ? error.message : String(error)
    const hint = error instanceof Error && 'hint' in error ? `\n  → ${String(error.hint)}` : ''
    stderr.write(
      `${stderr.isTTY ? '\r\u001b[K' : ''}✗ ${name} (${seconds(Date.now() - started)})\n  ${message}${hint}\n`,
    )
    process.exit(1)
  }
}
