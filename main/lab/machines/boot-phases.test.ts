import { expect, test } from 'vitest'
import { PhaseReader, type PhaseLine } from './boot-phases.ts'

function read(...chunks: string[]): PhaseLine[] {
  const seen: PhaseLine[] = []
  const reader = new PhaseReader((line) => seen.push(line))
  for (const chunk of chunks) reader.push(Buffer.from(chunk))
  return seen
}

test('finds phase lines in both spellings, cut anywhere', () => {
  const text = 'SeaBIOS\r\norrery: Init after 2.41 s\r\n\x1b[1mnode-1\x1b[0m:~# orrery: phase Runtime 6.20\r\n'
  const wanted = [
    { phase: 'Init', uptimeMs: 2_410 },
    { phase: 'Runtime', uptimeMs: 6_200 },
  ]
  expect(read(text)).toEqual(wanted)
  expect(read(...text)).toEqual(wanted)
})

test('other lines of init and unknown phases are nothing', () => {
  expect(read('orrery: stopping\norrery: growing the data disk to 9 GiB\norrery: Unknown after 1.0 s\n')).toEqual([])
})

test('endless output without a line end does not pile up', () => {
  expect(read(...Array.from({ length: 100 }, () => 'x'.repeat(10_000)), '\norrery: Init after 1 s\n')).toEqual([
    { phase: 'Init', uptimeMs: 1_000 },
  ])
})
