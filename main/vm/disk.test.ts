import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { diskInfo, ensureDisk } from './disk.ts'
import { findQemuImg } from './qemu-binary.ts'
import { isDiskFull } from './vm-error.ts'

const qemuImg = await findQemuImg().catch(() => undefined)
const gibibyte = 1024 ** 3
let folder = ''
let template = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-disk-'))
  template = join(folder, 'data.qcow2')
  if (qemuImg !== undefined) execFileSync(qemuImg, ['create', '-q', '-f', 'qcow2', template, '2G'])
})
afterEach(() => rm(folder, { recursive: true }))

describe.skipIf(qemuImg === undefined)('machine disk', () => {
  test('is made of the template once, grown and never shrunk', async () => {
    const path = join(folder, 'machine', 'disk.qcow2')
    await ensureDisk({ path, template, sizeGiB: 3 })
    expect(await diskInfo(path)).toMatchObject({ virtualBytes: 3 * gibibyte })
    await ensureDisk({ path, template: join(folder, 'newer.qcow2'), sizeGiB: 5 })
    expect(await diskInfo(path)).toMatchObject({ virtualBytes: 5 * gibibyte })
    await ensureDisk({ path, template, sizeGiB: 2 })
    expect((await diskInfo(path)).virtualBytes).toBe(5 * gibibyte)
  })

  test('a damaged disk is an error with a remedy', async () => {
    const path = join(folder, 'disk.qcow2')
    await writeFile(path, 'not a disk')
    await expect(ensureDisk({ path, template: join(folder, 'missing.qcow2'), sizeGiB: 1 })).rejects.toMatchObject({
      code: 'DiskBroken',
      hint: expect.stringContaining('delete the machine') as string,
    })
  })

  test('a missing template names it', async () => {
    await expect(
      ensureDisk({ path: join(folder, 'd.qcow2'), template: join(folder, 'missing.qcow2'), sizeGiB: 1 }),
    ).rejects.toMatchObject({ message: expect.stringContaining('missing.qcow2') as string })
  })
})

test('a full disk is recognized by code and by words', () => {
  expect(isDiskFull(Object.assign(new Error('write'), { code: 'ENOSPC' }))).toBe(true)
  expect(isDiskFull(new Error('qemu-img: x: Could not write: No space left on device'))).toBe(true)
  expect(isDiskFull(new Error('permission denied'))).toBe(false)
})
