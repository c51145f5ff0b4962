import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openZboot, vmlinuxOf } from './kernel-image.ts'

const elf = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), Buffer.from('kernel'.repeat(100))])

function bzImage(payload: Buffer): Buffer {
  const setupSectors = 3
  const payloadOffset = 64
  const image = Buffer.alloc((setupSectors + 1) * 512 + payloadOffset)
  image[0x1f1] = setupSectors
  image.write('HdrS', 0x202)
  image.writeUInt32LE(payloadOffset, 0x248)
  image.writeUInt32LE(payload.length + 4, 0x24c)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(elf.length)
  return Buffer.concat([image, payload, size, Buffer.from('padding')])
}

describe('kernel images', () => {
  it.each([
    ['zstd', zstdCompressSync(elf)],
    ['gzip', gzipSync(elf)],
  ])('a bzImage with a %s payload gives its vmlinux', (_, payload) => {
    expect(vmlinuxOf(bzImage(payload))).toEqual(elf)
  })

  it('refuses what is no kernel', () => {
    expect(() => vmlinuxOf(Buffer.alloc(4096))).toThrow('not a bzImage')
    expect(() => vmlinuxOf(bzImage(Buffer.from('garbage!')))).toThrow('unknown compression')
    expect(() => vmlinuxOf(bzImage(gzipSync('no elf here')))).toThrow('not an ELF kernel')
  })

  it('opens an EFI zboot wrapper and leaves a plain Image alone', () => {
    const payload = gzipSync('arm64 Image')
    const header = Buffer.alloc(64)
    header.write('MZ\0\0zimg', 0, 'latin1')
    header.writeUInt32LE(64, 8)
    header.writeUInt32LE(payload.length, 12)
    expect(openZboot(Buffer.concat([header, payload])).toString()).toBe('arm64 Image')
    const plain = Buffer.alloc(128)
    expect(openZboot(plain)).toBe(plain)
  })
})
