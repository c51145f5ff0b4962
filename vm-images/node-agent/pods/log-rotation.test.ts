import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { maxLogBytes, rotateLogs, type LogRotationOptions } from './log-rotation.ts'

let root: string
let now = Date.UTC(2026, 0, 1)
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rotation-'))
})
afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

const folder = (pod: string): string => join(root, `default_${pod}_uid-${pod}`, 'main')
async function largeLog(pod: string): Promise<void> {
  await mkdir(folder(pod), { recursive: true })
  await writeFile(join(folder(pod), '0.log'), '')
  await truncate(join(folder(pod), '0.log'), maxLogBytes)
}
const rotate = (reopener: LogRotationOptions['reopener']): Promise<number> =>
  rotateLogs({ root, reopener, now: () => (now += 1000), logger: silentLogger })

it('sets large logs aside and keeps five files of a container', async () => {
  for (let round = 0; round < 7; round++) {
    await largeLog('web')
    expect(
      await rotate(({ podUid, container, attempt }) => {
        expect({ podUid, container, attempt }).toEqual({ podUid: 'uid-web', container: 'main', attempt: 0 })
        return Promise.resolve(() => writeFile(join(folder('web'), '0.log'), ''))
      }),
    ).toBe(1)
  }
  expect(await readdir(folder('web'))).toHaveLength(5)
})

it('leaves the log of a container that ended, and rotates the others all the same', async () => {
  await largeLog('ended')
  await largeLog('failing')
  await largeLog('web')
  const rotated = await rotate(({ podUid }) =>
    Promise.resolve(
      podUid === 'uid-ended'
        ? undefined
        : podUid === 'uid-failing'
          ? () => Promise.reject(new Error('the runtime is away'))
          : () => writeFile(join(folder('web'), '0.log'), ''),
    ),
  )
  expect(rotated).toBe(1)
  expect(await readdir(folder('ended'))).toEqual(['0.log'])
  expect(await readdir(folder('failing'))).toEqual(['0.log'])
  expect(await readdir(folder('web'))).toHaveLength(2)
})
