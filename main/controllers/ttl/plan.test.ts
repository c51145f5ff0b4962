import { expect, it } from 'vitest'
import { nextStep } from './plan.ts'

it.each([
  [0, 1, 0],
  [0, 100, 0],
  [0, 101, 1],
  [1, 95, 1],
  [1, 89, 0],
  [0, 5_000, 4],
  [4, 3, 0],
])('from step %i with %i nodes to step %i', (step, nodes, expected) => {
  expect(nextStep(step, nodes)).toBe(expected)
})
