import { describe, expect, it } from 'vitest'
import { elfSection } from './elf.ts'
import { lightenModule, moduleName, orderModules, parseModinfo, type KernelModule } from './kernel-modules.ts'

/** A 64-bit ELF file with nothing but named sections. */
function elfWith(sections: Record<string, string>): Buffer {
  const names = ['', '.shstrtab', ...Object.keys(sections)]
  const table = Buffer.from(names.map((name) => `${name}\0`).join(''))
  const contents = [Buffer.alloc(0), table, ...Object.values(sections).map((text) => Buffer.from(text))]
  const header = Buffer.alloc(64)
  header.write('\x7fELF', 0, 'latin1')
  header.set([2, 1, 1], 4)
  const body: Buffer[] = [header]
  const headers: Buffer[] = []
  let offset = 64
  contents.forEach((content, position) => {
    const entry = Buffer.alloc(64)
    entry.writeUInt32LE(
      names.slice(0, position).reduce((sum, name) => sum + name.length + 1, 0),
      0,
    )
    entry.writeBigUInt64LE(BigInt(offset), 24)
    entry.writeBigUInt64LE(BigInt(content.length), 32)
    headers.push(entry)
    body.push(content)
    offset += content.length
  })
  header.writeBigUInt64LE(BigInt(offset), 40)
  header.writeUInt16LE(64, 58)
  header.writeUInt16LE(contents.length, 60)
  header.writeUInt16LE(1, 62)
  return Buffer.concat([...body, ...headers])
}

const moduleOf = (name: string, depends: string[]): KernelModule => ({
  name,
  depends,
  aliases: [],
  path: `kernel/${name}.ko`,
})

describe('modules', () => {
  it('are named as the kernel reports them', () => {
    expect(moduleName('kernel/net/netfilter/nf-x_y.ko.xz')).toBe('nf_x_y')
  })

  it('tell what they depend on', () => {
    const info = Buffer.from('license=GPL\0depends=nf-tables,nf_nat\0alias=nft-expr-nat\0alias=b\0')
    expect(parseModinfo(info)).toEqual({ depends: ['nf_tables', 'nf_nat'], aliases: ['nft-expr-nat', 'b'] })
    expect(parseModinfo(Buffer.from('depends=\0'))).toEqual({ depends: [], aliases: [] })
  })

  it('come after what they need, each once, otherwise as asked for', () => {
    const all = [moduleOf('c', ['a', 'b']), moduleOf('b', ['a']), moduleOf('a', []), moduleOf('d', ['c'])]
    const map = new Map(all.map((module) => [module.name, module]))
    expect(orderModules(['d', 'b'], map).map((module) => module.name)).toEqual(['a', 'b', 'c', 'd'])
    expect(orderModules(['b', 'absent'], map).map((module) => module.name)).toEqual(['a', 'b'])
  })

  it('lose signature and BTF, keep the rest', () => {
    const image = elfWith({ '.modinfo': 'depends=a\0', '.BTF': 'types', '.text': 'code' })
    const signature = Buffer.from('signature bytes')
    const trailer = Buffer.alloc(12)
    trailer.writeUInt32BE(signature.length, 8)
    const light = lightenModule(
      Buffer.concat([image, signature, trailer, Buffer.from('~Module signature appended~\n')]),
    )
    expect(light.length).toBe(image.length)
    expect(elfSection(light, '.BTF')).toBeUndefined()
    expect(elfSection(light, '.modinfo')?.toString()).toBe('depends=a\0')
    expect(elfSection(light, '.text')?.toString()).toBe('code')
    expect(lightenModule(image)).toBe(image)
  })
})
