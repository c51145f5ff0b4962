import { expect, it } from 'vitest'
import { packCpio } from './cpio.ts'

it('writes newc records: aligned, root-owned, without time, ended by a trailer', () => {
  const archive = packCpio([
    { path: 'dev', mode: 0o040755 },
    { path: 'dev/console', mode: 0o020600, device: { major: 5, minor: 1 } },
    { path: 'init', mode: 0o100755, content: Buffer.from('hello') },
  ])
  const entries: { name: string; fields: number[]; content: string }[] = []
  for (let at = 0; at < archive.length;) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701')
    const fields = Array.from({ length: 13 }, (_, index) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16),
    )
    const nameEnd = at + 110 + (fields[11] ?? 0)
    const dataAt = Math.ceil(nameEnd / 4) * 4
    const size = fields[6] ?? 0
    entries.push({
      name: archive.toString('latin1', at + 110, nameEnd - 1),
      fields,
      content: archive.toString('latin1', dataAt, dataAt + size),
    })
    at = Math.ceil((dataAt + size) / 4) * 4
  }
  expect(entries.map((entry) => entry.name)).toEqual(['dev', 'dev/console', 'init', 'TRAILER!!!'])
  expect(entries[1]?.fields.slice(9, 11)).toEqual([5, 1])
  expect(entries[2]).toMatchObject({ content: 'hello' })
  expect(entries[2]?.fields.slice(1, 6)).toEqual([0o100755, 0, 0, 1, 0])
})
