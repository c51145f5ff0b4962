/** Runs `work` for every item, at most `limit` at a time; rejects with the first failure after the running ones have ended. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values()
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    // All workers draw from the one iterator.
    for (const item of rest) await work(item)
  })
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
