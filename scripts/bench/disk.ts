// What the disk under a folder can sync, measured as a log without any cleverness would use it.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One page of 4 KiB appended to a growing file and synced at a time. */
export function fdatasyncsPerSecond(seconds: number, parent = tmpdir()): number {
  const directory = mkdtempSync(join(parent, 'orrery-bench-disk-'))
  const file = openSync(join(directory, 'disk.bin'), 'w')
  try {
    const page = Buffer.alloc(4096, 1)
    const start = performance.now()
    let syncs = 0
    while (performance.now() - start < seconds * 1000) {
      writeSync(file, page)
      fdatasyncSync(file)
      syncs += 1
    }
    return (syncs / (performance.now() - start)) * 1000
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true, force: true })
  }
}
