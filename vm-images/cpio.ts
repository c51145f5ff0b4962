// Writes the "newc" archive that the kernel unpacks as initramfs (Documentation/driver-api/early-userspace/buffer-format.rst).
// All files belong to root and carry no time, so equal contents give equal archives.
export interface CpioEntry {
  path: string
  /** With file type bits (0o100755 file, 0o040755 folder, 0o120777 symlink, 0o020600 character device). */
  mode: number
  content?: Buffer
  device?: { major: number; minor: number }
}

export function packCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = []
  entries.forEach((entry, index) => {
    parts.push(record(entry, index + 1))
  })
  parts.push(record({ path: 'TRAILER!!!', mode: 0 }, 0))
  return Buffer.concat(parts)
}

function record(entry: CpioEntry, inode: number): Buffer {
  const content = entry.content ?? Buffer.alloc(0)
  const name = Buffer.from(`${entry.path}\0`)
  const fields = [
    inode,
    entry.mode,
    0,
    0,
    1,
    0,
    content.length,
    0,
    0,
    entry.device?.major ?? 0,
    entry.device?.minor ?? 0,
    name.length,
    0,
  ]
  const header = Buffer.from(
    `070701${fields.map((field) => field.toString(16).padStart(8, '0').toUpperCase()).join('')}`,
  )
  return Buffer.concat([pad(Buffer.concat([header, name])), pad(content)])
}

const pad = (buffer: Buffer): Buffer =>
  buffer.length % 4 === 0 ? buffer : Buffer.concat([buffer, Buffer.alloc(4 - (buffer.length % 4))])
