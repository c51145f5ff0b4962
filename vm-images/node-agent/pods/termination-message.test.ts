import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { explainStartError } from './image-reference.ts'
import { terminationMessage } from './termination-message.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-message-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function message(options: { file?: string; log?: string; policy?: string; failed?: boolean }): Promise<string> {
  const file = join(folder, 'message')
  const logPath = join(folder, '0.log')
  await writeFile(file, options.file ?? '')
  await writeFile(logPath, (options.log ?? '').replace(/^/gm, '2026-01-01T00:00:00.000000000Z stderr F '))
  return terminationMessage({
    file,
    logPath,
    policy: options.policy ?? 'File',
    failed: options.failed ?? true,
    runtimeMessage: '',
    explain: (failure) => explainStartError('x:1', failure, 'arm64'),
  })
}

it('is what the container wrote', async () => {
  expect(await message({ file: 'bye', log: 'noise' })).toBe('bye')
})

it('is the end of the log when asked for and the container failed', async () => {
  expect(await message({ log: 'boom', policy: 'FallbackToLogsOnError' })).toBe('boom\n')
  expect(await message({ log: 'boom', policy: 'FallbackToLogsOnError', failed: false })).toBe('')
  expect(await message({ log: 'boom' })).toBe('')
})

it('explains a program of the wrong architecture', async () => {
  const log = '{"msg":"exec container process `/usr/bin/lua5.4`: Exec format error","level":"error"}'
  expect(await message({ log })).toMatch(/^this image is amd64-only, the node is arm64: .*kubernetes\.io\/arch/)
})
