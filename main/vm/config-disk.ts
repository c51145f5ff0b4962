// The config disk: a ustar archive written raw, which the guest unpacks (common/channel/guest-config.ts). It holds private keys,
// so the file is readable by its owner only.
import { rename, writeFile } from 'node:fs/promises'
import type { GuestConfig } from '../../common/channel/guest-config.ts'

export interface ArchiveEntry {
  readonly name: string
  readonly mode: number
  readonly content: Uint8Array
}

const blockBytes = 512

/** POSIX ustar (IEEE 1003.1): regular files only, owner 0:0, time 0 so that equal content gives equal bytes. Names up to 100 bytes. */
export function ustar(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = []
  for (const entry of entries) {
    const header = Buffer.alloc(blockBytes)
    header.write(entry.name, 0, 100, 'utf8')
    header.write(`${octal(entry.mode, 7)}\0`, 100)
    header.write(`${octal(0, 7)}\0${octal(0, 7)}\0`, 108)
    header.write(`${octal(entry.content.byteLength, 11)}\0${octal(0, 11)}\0`, 124)
    header.write('        ', 148)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${octal(sum, 6)}\0 `, 148)
    const padding = Buffer.alloc((blockBytes - (entry.content.byteLength % blockBytes)) % blockBytes)
    parts.push(header, Buffer.from(entry.content), padding)
  }
  parts.push(Buffer.alloc(2 * blockBytes))
  return Buffer.concat(parts)
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')

/** Writes machine.json and agent.mjs for a machine, replacing an older disk in one step. */
export async function writeConfigDisk(path: string, config: GuestConfig, agentBundle: Uint8Array): Promise<void> {
  const archive = ustar([
    { name: 'machine.json', mode: 0o600, content: Buffer.from(`${JSON.stringify(config, undefined, 2)}\n`) },
    { name: 'agent.mjs', mode: 0o644, content: agentBundle },
  ])
  // A block device must be a whole number of sectors, and some drivers dislike very small ones.
  const disk = Buffer.concat([archive, Buffer.alloc((4096 - (archive.length % 4096)) % 4096)])
  const temporary = `${path}.new`
  await writeFile(temporary, disk, { mode: 0o600 })
  await rename(temporary, path)
}
