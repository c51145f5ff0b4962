// Pure: the steps in which the time grows with the number of nodes (upstream's). They overlap, so that a cluster at a border stays put.

export const ttlSteps = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1_000, seconds: 30 },
  { from: 900, to: 2_000, seconds: 60 },
  { from: 1_800, to: Infinity, seconds: 300 },
] as const

/** The step for this many nodes, coming from `step`. */
export function nextStep(step: number, nodeCount: number): number {
  let next = step
  while (nodeCount > (ttlSteps[next]?.to ?? Infinity)) next++
  while (nodeCount < (ttlSteps[next]?.from ?? 0)) next--
  return next
}
