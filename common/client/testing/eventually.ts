/** Waits until `check` returns without throwing (or true); fails with its last error after `deadlineMs` of real time. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 20_000): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    try {
      const value = await check()
      if (value !== false) return value
      throw new Error('the condition stayed false')
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await new Promise<void>((resolve) => setTimeout(resolve, 5))
  }
}
