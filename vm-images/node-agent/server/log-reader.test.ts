import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseLogLine } from './log-format.ts'
import { readLog, type LogOptions } from './log-reader.ts'

let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-log-'))
  file = join(folder, '0.log')
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const stamp = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.123456789Z`
const line = (second: number, text: string, tag = 'F'): string => `${stamp(second)} stdout ${tag} ${text}\n`
const options = (part: Partial<LogOptions> = {}): LogOptions => ({
  timestamps: false,
  follow: false,
  isRunning: () => Promise.resolve(false),
  signal: new AbortController().signal,
  ...part,
})
async function read(part: Partial<LogOptions> = {}): Promise<string> {
  let text = ''
  for await (const chunk of readLog(file, options(part))) text += chunk.toString('utf8')
  return text
}

describe('log entries', () => {
  it('are text with a line break, or without one when they go on', () => {
    expect(parseLogLine(Buffer.from(line(1, 'a b')))?.content.toString()).toBe('a b\n')
    expect(parseLogLine(Buffer.from(line(1, 'part', 'P')))?.content.toString()).toBe('part')
    expect(parseLogLine(Buffer.from(line(1, '')))?.content.toString()).toBe('\n')
  })

  it('that are something else are left out', () => {
    expect(parseLogLine(Buffer.from('garbage'))).toBeUndefined()
    expect(parseLogLine(Buffer.from(`${stamp(1)} nothing F x`))).toBeUndefined()
  })
})

describe('reading', () => {
  it('joins partial entries', async () => {
    await writeFile(file, line(1, 'one ', 'P') + line(1, 'line') + line(2, 'two'))
    expect(await read()).toBe('one line\ntwo\n')
  })

  it('shows the last lines', async () => {
    await writeFile(file, Array.from({ length: 5000 }, (_, index) => line(1, String(index))).join(''))
    expect(await read({ tailLines: 2 })).toBe('4998\n4999\n')
    expect(await read({ tailLines: 0 })).toBe('')
    expect((await read({ tailLines: 9999 })).startsWith('0\n')).toBe(true)
  })

  it('shows times, begins at a time, ends at a number of bytes', async () => {
    await writeFile(file, line(1, 'a') + line(5, 'b'))
    expect(await read({ timestamps: true, sinceMs: Date.parse(stamp(3)) })).toBe(`${stamp(5)} b\n`)
    expect(await read({ limitBytes: 3 })).toBe('a\nb')
  })
})

describe('following', () => {
  it('goes on with what is written later, also in a new file, until the container ends', async () => {
    await writeFile(file, line(1, 'a'))
    let running = true
    const seen: string[] = []
    for await (const chunk of readLog(file, options({ follow: true, isRunning: () => Promise.resolve(running) }))) {
      seen.push(chunk.toString().trim())
      if (seen.length === 1) await appendFile(file, line(2, 'b'))
      if (seen.length === 2) {
        await rename(file, `${file}.old`)
        await writeFile(file, line(3, 'c'))
      }
      if (seen.length === 3) {
        running = false
        await appendFile(file, line(4, 'd'))
      }
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
  })

  it('ends when the reader is gone', async () => {
    await writeFile(file, line(1, 'a'))
    const abort = new AbortController()
    let count = 0
    for await (const _ of readLog(
      file,
      options({ follow: true, isRunning: () => Promise.resolve(true), signal: abort.signal }),
    )) {
      count++
      abort.abort()
    }
    expect(count).toBe(1)
  })
})
