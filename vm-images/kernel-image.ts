// Makes a kernel that QEMU starts directly. x86: the uncompressed vmlinux out of the bzImage (entered by PVH, half a second faster
// than the boot protocol). arm64: Debian's Image as it is; an EFI zboot wrapper is opened because QEMU before 8.0 cannot.
import { readFile, writeFile } from 'node:fs/promises'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { BuildProblem } from './problem.ts'

export async function extractKernel(options: { arch: 'amd64' | 'arm64'; from: string; to: string }): Promise<void> {
  const image = await readFile(options.from)
  await writeFile(options.to, options.arch === 'amd64' ? vmlinuxOf(image) : openZboot(image))
}

/** Linux x86 boot protocol (Documentation/arch/x86/boot.rst): setup_sects at 0x1f1, payload_offset/length at 0x248/0x24c. */
export function vmlinuxOf(bzImage: Buffer): Buffer {
  if (bzImage.length < 0x250 || bzImage.toString('latin1', 0x202, 0x206) !== 'HdrS') throw bad('not a bzImage')
  const setupSectors = bzImage[0x1f1] ?? 0
  const start = (setupSectors === 0 ? 4 : setupSectors) * 512 + 512 + bzImage.readUInt32LE(0x248)
  // The last four bytes of the payload are the uncompressed size.
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - 4)
  const vmlinux = decompress(payload)
  if (vmlinux.readUInt32BE(0) !== 0x7f454c46) throw bad('the payload is not an ELF kernel')
  return vmlinux
}

/** "MZ\0\0zimg", payload offset and size, compression name at 24 (drivers/firmware/efi/libstub/zboot-header.S). */
export function openZboot(image: Buffer): Buffer {
  if (image.toString('latin1', 4, 8) !== 'zimg') return image
  const start = image.readUInt32LE(8)
  return decompress(image.subarray(start, start + image.readUInt32LE(12)))
}

function decompress(payload: Buffer): Buffer {
  const magic = payload.readUInt32BE(0)
  if (magic === 0x28b52ffd) return zstdDecompressSync(payload)
  if (magic >>> 16 === 0x1f8b) return gunzipSync(payload)
  throw bad(`unknown compression ${magic.toString(16)}`)
}

const bad = (what: string): BuildProblem =>
  new BuildProblem({
    code: 'BadInput',
    message: `cannot unpack the kernel: ${what}`,
    hint: 'The kernel package has a new form; report this with its version.',
  })
