import { describe, expect, it } from 'vitest'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { layoutFiles, layoutTar, packLayer, sha256 } from './layout.ts'

const files = [
  { path: 'usr/bin/tool', mode: 0o755, content: Buffer.from('tool') },
  { path: 'bin', linkTo: 'usr/bin' },
]

describe('layers', () => {
  it('are the same for the same files in any order, and carry their parents', async () => {
    const one = await packLayer(files)
    const other = await packLayer([...files].reverse())
    expect(other).toEqual(one)
    const tar = gunzipSync(one.content)
    expect(sha256(tar)).toBe(one.diffId)
    const names: string[] = []
    const unpacker = extract()
    unpacker.end(tar)
    for await (const entry of unpacker) {
      names.push(`${entry.header.name} ${String(entry.header.mode?.toString(8))}`)
      entry.resume()
    }
    expect(names).toEqual(['bin 777', 'usr/ 755', 'usr/bin/ 755', 'usr/bin/tool 755'])
  })
})

describe('layouts', () => {
  it('hold one index per image under each of its names, every digest true', async () => {
    const layers = [await packLayer(files)]
    const platforms = ['amd64', 'arm64'].map((architecture) => ({
      architecture,
      config: { Cmd: ['/bin/tool'] },
      layers,
    }))
    const layout = layoutFiles({ names: ['docker.io/library/a:1', 'docker.io/library/a:latest'], platforms })
    const index: unknown = JSON.parse(layout.get('index.json')?.toString() ?? '')
    expect(index).toMatchObject({
      manifests: [
        { annotations: { 'io.containerd.image.name': 'docker.io/library/a:1' } },
        { annotations: { 'io.containerd.image.name': 'docker.io/library/a:latest' } },
      ],
    })
    for (const [path, content] of layout)
      if (path.startsWith('blobs/')) expect(sha256(content).slice(7)).toBe(path.slice('blobs/sha256/'.length))
    // index, two manifests, two configurations, one shared layer
    expect([...layout.keys()].filter((path) => path.startsWith('blobs/'))).toHaveLength(6)
    expect((await layoutTar(layout)).length % 512).toBe(0)
  })
})
