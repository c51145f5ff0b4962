// What the disk under a folder can sync: as a log without any cleverness would use it, and as one whose file has its size already.
import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const pageBytes = 4096
const fullBytes = 16 << 20

export interface DiskRates {
  /** Pages of 4 KiB appended to a growing file and synced one at a time, per second. */
  readonly growing: number
  /** The same within a file that has its full size before: what the store's commit log does. */
  readonly preallocated: number
}

export function fdatasyncRates(secondsEach: number, parent = tmpdir()): DiskRates {
  const directory = mkdtempSync(join(parent, 'orrery-bench-disk-'))
  try {
    const growing = ratePerSecond(join(directory, 'growing.bin'), 0, secondsEach)
    return { growing, preallocated: ratePerSecond(join(directory, 'full.bin'), fullBytes, secondsEach) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function ratePerSecond(path: string, bytesBefore: number, seconds: number): number {
  const file = openSync(path, 'w')
  try {
    if (bytesBefore > 0) {
      writeSync(file, Buffer.alloc(bytesBefore))
      fsyncSync(file)
    }
    const page = Buffer.alloc(pageBytes, 1)
    const start = performance.now()
    let syncs = 0
    while (performance.now() - start < seconds * 1000) {
      const position = bytesBefore === 0 ? syncs * pageBytes : (syncs * pageBytes) % bytesBefore
      writeSync(file, page, 0, pageBytes, position)
      fdatasyncSync(file)
      syncs += 1
    }
    return (syncs / (performance.now() - start)) * 1000
  } finally {
    closeSync(file)
  }
}
