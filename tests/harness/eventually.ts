// Waiting on conditions, never on time. Deadlines are several times the usual: the speed of test machines varies by two.

/** Polls `probe` until it returns a value other than undefined/false; at the deadline fails with what was waited for and the last problem. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  options: { deadlineMs?: number; everyMs?: number } = {},
): Promise<T> {
  const { deadlineMs = 60_000, everyMs = 150 } = options
  const deadline = Date.now() + deadlineMs
  let problem = 'nothing yet'
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${String(deadlineMs / 1000)} s (last: ${problem})`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
