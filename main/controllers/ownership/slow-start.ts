// Makes many things in growing batches, so that a request that must fail (quota, admission) is tried a few times, not thousands.

/** Runs `make` up to `count` times in batches of 1, 2, 4, … and stops after a batch with a failure. */
export async function slowStart(
  count: number,
  make: (index: number) => Promise<void>,
): Promise<{ made: number; error?: Error }> {
  let made = 0
  for (let start = 0, size = 1; start < count; size *= 2) {
    const end = Math.min(count, start + size)
    const results = await Promise.allSettled(Array.from({ length: end - start }, (_, i) => make(start + i)))
    made += results.filter((result) => result.status === 'fulfilled').length
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) return { made, error: asError(failed.reason) }
    start = end
  }
  return { made }
}

export const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))

/** The first failure of things that were all tried. */
export function firstFailure(results: readonly PromiseSettledResult<unknown>[]): Error | undefined {
  const failed = results.find((result) => result.status === 'rejected')
  return failed === undefined ? undefined : asError(failed.reason)
}
