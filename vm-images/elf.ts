// Reads what image building needs from ELF files (64-bit little endian): machine, interpreter, needed libraries, a named section.
import { open, type FileHandle } from 'node:fs/promises'

export interface ElfFacts {
  machine: number
  needed: string[]
  interpreter: string | undefined
}

const programTypes = { dynamic: 2, interpreter: 3, load: 1 }
const dynamicTags = { needed: 1, stringTable: 5 }

/** undefined when the file is no 64-bit little-endian ELF file. */
export async function readElf(path: string): Promise<ElfFacts | undefined> {
  const file = await open(path, 'r')
  try {
    const header = await readAt(file, 0, 64)
    if (!isElf(header)) return undefined
    const programs = await readPrograms(file, header)
    const interpreterAt = programs.find((program) => program.type === programTypes.interpreter)
    const interpreter =
      interpreterAt === undefined ? undefined : text(await readAt(file, interpreterAt.offset, interpreterAt.size), 0)
    const dynamic = programs.find((program) => program.type === programTypes.dynamic)
    return {
      machine: header.readUInt16LE(18),
      interpreter,
      needed: dynamic === undefined ? [] : await readNeeded(file, programs, dynamic),
    }
  } finally {
    await file.close()
  }
}

/** The bytes of a section, for example ".modinfo" of a kernel module; undefined when there is none. */
export function elfSection(image: Buffer, name: string): Buffer | undefined {
  const found = findSection(image, name)
  return found === undefined ? undefined : image.subarray(found.offset, found.offset + found.size)
}

/** Takes a section's name away, in place, so that nobody finds it any more. */
export function hideElfSection(image: Buffer, name: string): void {
  const found = findSection(image, name)
  // The first byte of a section name table is always the empty name.
  if (found !== undefined) image.writeUInt32LE(0, found.headerAt)
}

function findSection(image: Buffer, name: string): { headerAt: number; offset: number; size: number } | undefined {
  if (!isElf(image)) return undefined
  const table = Number(image.readBigUInt64LE(40))
  const entrySize = image.readUInt16LE(58)
  const section = (index: number): { headerAt: number; name: number; offset: number; size: number } => {
    const at = table + index * entrySize
    return {
      headerAt: at,
      name: image.readUInt32LE(at),
      offset: Number(image.readBigUInt64LE(at + 24)),
      size: Number(image.readBigUInt64LE(at + 32)),
    }
  }
  const names = section(image.readUInt16LE(62))
  for (let index = 0; index < image.readUInt16LE(60); index++) {
    const candidate = section(index)
    if (text(image, names.offset + candidate.name) === name) return candidate
  }
  return undefined
}

const isElf = (header: Buffer): boolean =>
  header.length >= 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1

interface Program {
  type: number
  offset: number
  address: number
  size: number
}

async function readPrograms(file: FileHandle, header: Buffer): Promise<Program[]> {
  const entrySize = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  const table = await readAt(file, Number(header.readBigUInt64LE(32)), entrySize * count)
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    }
  })
}

async function readNeeded(file: FileHandle, programs: readonly Program[], dynamic: Program): Promise<string[]> {
  const entries = await readAt(file, dynamic.offset, dynamic.size)
  const names: number[] = []
  let tableAddress = 0
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const tag = Number(entries.readBigInt64LE(at))
    if (tag === dynamicTags.needed) names.push(Number(entries.readBigUInt64LE(at + 8)))
    if (tag === dynamicTags.stringTable) tableAddress = Number(entries.readBigUInt64LE(at + 8))
  }
  const segment = programs.find(
    (p) => p.type === programTypes.load && tableAddress >= p.address && tableAddress < p.address + p.size,
  )
  if (segment === undefined) return []
  const offset = segment.offset + tableAddress - segment.address
  return Promise.all(names.map(async (name) => text(await readAt(file, offset + name, 256), 0)))
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const text = (buffer: Buffer, start: number): string => {
  const end = buffer.indexOf(0, start)
  return buffer.toString('latin1', start, end === -1 ? buffer.length : end)
}
