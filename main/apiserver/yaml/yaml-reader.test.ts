import { afterEach, describe, expect, it } from 'vitest'
import { readYaml } from './read-yaml.ts'
import { YamlReader, type YamlReaderOptions } from './yaml-reader.ts'

const limits = { maxDepth: 10, maxValues: 10_000 }
const readers: YamlReader[] = []
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close()
})
function newReader(options?: YamlReaderOptions): YamlReader {
  const reader = new YamlReader(limits, options)
  readers.push(reader)
  return reader
}

const inThread = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`)
const large = (keys: number): string =>
  Array.from({ length: keys }, (_, key) => `key-${String(key)}: ${String(key)}`).join('\n')

describe('readYaml', () => {
  it.each([
    [
      'a: 1\nb:\n  - {c: 1, c: 2}\na: 2\n',
      ['line 3: key "c" already set in map', 'line 4: key "a" already set in map'],
    ],
    ['a: &x {b: 1}\nc: *x\n', []],
    ['"a": 1\na: 2\n', ['line 2: key "a" already set in map']],
  ])('%j', (text, duplicates) => {
    expect(readYaml(text, limits).duplicates).toEqual(duplicates)
  })

  it('the last of two keys counts', () => {
    expect(readYaml('a: 1\na: 2\n', limits).value).toEqual({ a: 2 })
  })

  it('refuses what is nested too deeply', () => {
    expect(() => readYaml('[[[[1]]]]', { ...limits, maxDepth: 3 })).toThrow('exceeded max depth 3')
    expect(readYaml('a: "[[[["\nb: |\n  [[[[\nc: [{}, {}, [], []]\n', { ...limits, maxDepth: 3 }).value).toMatchObject({
      a: '[[[[',
    })
  })
})

it('refuses more values than it may read, those of aliases too', () => {
  const six = 'a: &a [1, 2, 3]\nb: *a\n'
  expect(readYaml(six, { ...limits, maxValues: 9 }).value).toEqual({ a: [1, 2, 3], b: [1, 2, 3] })
  expect(() => readYaml(six, { ...limits, maxValues: 8 })).toThrow('more than 8 values')
})

describe('large texts', () => {
  it('are read as small ones are, in order', async () => {
    const reader = newReader()
    const texts = [`${large(5_000)}\nkey-1: again\n`, large(6_000)]
    const contents = await Promise.all(texts.map((text) => reader.read(text)))
    expect(contents).toEqual(texts.map((text) => readYaml(text, limits)))
    expect(contents[0]?.duplicates).toEqual(['line 5001: key "key-1" already set in map'])
  })

  it('that are no YAML are refused, and the next is read', async () => {
    const reader = newReader()
    await expect(reader.read(`${large(5_000)}\n  : [`)).rejects.toMatchObject({ code: 400 })
    await expect(reader.read(large(11_000))).rejects.toMatchObject({ code: 413 })
    await expect(reader.read('['.repeat(100_000))).rejects.toMatchObject({ code: 400 })
    expect((await reader.read(large(5_000))).duplicates).toEqual([])
  })

  it('that are more than can wait are refused at once', async () => {
    const reader = newReader()
    const reads = Array.from({ length: 17 }, () => reader.read(large(5_000)))
    const codes = (await Promise.allSettled(reads)).map((read) =>
      read.status === 'fulfilled' ? 200 : (read.reason as { code: number }).code,
    )
    expect(codes).toEqual([...Array.from({ length: 16 }, () => 200), 429])
  })

  it('that take too long give way to the next', async () => {
    const silent = newReader({
      workerUrl: inThread('process.stdin.on("data", () => {}); setInterval(() => {}, 1000)'),
      deadlineMs: 50,
    })
    const reads = await Promise.allSettled([silent.read(large(5_000)), silent.read(large(5_000))])
    expect(reads).toMatchObject([{ reason: { code: 504 } }, { reason: { code: 504 } }])
  })

  it('that kill the thread fail alone', async () => {
    const code = `import { parentPort } from 'node:worker_threads'
      parentPort.on('message', ({ text }) => {
        if (text.startsWith('die')) throw new Error('gone')
        parentPort.postMessage({ json: '{"a":1}', duplicates: [] })
      })`
    const reader = newReader({ workerUrl: inThread(code) })
    const reads = await Promise.allSettled([reader.read(`die: 1\n${large(5_000)}`), reader.read(large(5_000))])
    expect(reads).toMatchObject([{ reason: { code: 500 } }, { value: { value: { a: 1 } } }])
  })
})
