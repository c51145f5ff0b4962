// The empty data disk that every node's overlay starts from: ext4 in a sparse qcow2. It grows with the overlay at boot.
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool } from './run-tool.ts'

export async function buildDataDisk(options: {
  folder: string
  name: string
  sizeGiB: number
  signal?: AbortSignal
}): Promise<void> {
  const raw = join(options.folder, `${options.name}.raw`)
  const file = await open(raw, 'w')
  try {
    await file.truncate(options.sizeGiB * 2 ** 30)
  } finally {
    await file.close()
  }
  // A fixed UUID and hash seed make the template reproducible; nothing identifies a node by it. Inode tables are left to be made
  // on demand (lazy), and the journal is small: nodes are many and short-lived.
  const features = [
    '-F',
    '-q',
    '-L',
    'orrery-data',
    '-U',
    '7d4b1d1e-0c2f-4c55-9d51-0e0a7c1f5a01',
    '-m',
    '0',
    '-b',
    '4096',
    '-J',
    'size=16',
  ]
  await runTool(
    'mkfs.ext4',
    [
      ...features,
      '-E',
      'lazy_itable_init=1,lazy_journal_init=1,hash_seed=7d4b1d1e-0c2f-4c55-9d51-0e0a7c1f5a02,nodiscard',
      raw,
    ],
    { signal: options.signal },
  )
  await runTool(
    'qemu-img',
    ['convert', '-O', 'qcow2', '-o', 'cluster_size=65536', raw, join(options.folder, options.name)],
    { signal: options.signal },
  )
  await rm(raw)
}
