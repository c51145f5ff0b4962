import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connectKubeconfig } from './kubeconfig-client.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
})
afterEach(() => rm(folder, { recursive: true }))

const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1' } }
const context = { name: 'x', context: { cluster: 'c', user: 'u' } }
async function connect(config: object): Promise<string> {
  const file = join(folder, 'config')
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ clusters: [cluster], contexts: [context], 'current-context': 'x', ...config }))
  const client = await connectKubeconfig(file)
  client.close()
  return client.server
}

it('finds the cluster of the current context', async () => {
  expect(await connect({ users: [{ name: 'u', user: { token: 't' } }] })).toBe('https://127.0.0.1:1')
})

it.each([
  [{ 'current-context': 'other' }, /has no current context with a cluster/],
  [{ users: [{ name: 'u', user: { exec: { command: 'aws' } } }] }, /signs in through another program/],
])('says what is wrong with %o', async (config, message) => {
  await expect(connect(config)).rejects.toThrow(message)
})

it('says which file cannot be read', async () => {
  await expect(connectKubeconfig(join(folder, 'absent'))).rejects.toThrow(/absent cannot be read/)
})
