// The programs below stand in for QEMU: what is tested is what the probe makes of each way a QEMU can behave.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AcceleratorVerdict, probeAccelerator, type ProbeOptions } from './accelerator.ts'
import { platform as thisPlatform, type Platform } from './platform/index.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-probe-'))
})
afterEach(() => rm(folder, { recursive: true }))

const platformWith = (extra: Partial<Platform>): Platform => ({
  ...thisPlatform,
  accelerator: 'kvm',
  hostBootId: () => Promise.resolve('boot-1'),
  acceleratorProblem: () => Promise.resolve(undefined),
  ...extra,
})

/** A QEMU that runs this shell script; every run leaves a line in "runs". */
async function probe(script: string, extra: Partial<ProbeOptions> = {}): Promise<AcceleratorVerdict> {
  const binary = join(folder, 'qemu')
  await writeFile(binary, `#!/bin/sh\necho run >>${folder}/runs\n${script}\n`)
  await chmod(binary, 0o755)
  return probeAccelerator({
    arch: 'amd64',
    hostArch: 'amd64',
    qemu: { binary, version: [7, 2, 22] },
    kernel: { path: '/k', id: 'k1' },
    cacheFile: join(folder, 'accelerators.json'),
    platform: platformWith({}),
    timeoutMs: 5_000,
    ...extra,
  })
}
const runs = async (): Promise<number> =>
  (await readFile(join(folder, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1

describe.skipIf(process.platform === 'win32')('accelerator probe', () => {
  test('a kernel that gets as far as its missing root proves that it works', async () => {
    expect(
      await probe(
        'echo "Linux version 6.12"; echo "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"; exec sleep 60',
      ),
    ).toEqual({ accelerator: 'kvm' })
  })
  test('one that hangs is ended after the deadline and emulated', async () => {
    const verdict = await probe('echo "Probing EDD"; exec sleep 60', { timeoutMs: 200 })
    expect(verdict).toMatchObject({
      accelerator: 'tcg',
      reason: expect.stringContaining('KVM is there but a kernel started under it hangs') as string,
    })
  })
  test('one that fails is emulated, with QEMU’s words', async () => {
    const verdict = await probe('echo "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69" >&2; exit 134')
    expect(verdict).toEqual({
      accelerator: 'tcg',
      reason: 'KVM is there but does not work (failed to set MSR 0x10a to 0x69); machines are emulated instead',
    })
  })
  test('a missing program is a verdict too', async () => {
    expect(await probe('', { qemu: { binary: '/nonexistent/qemu', version: [7, 2, 0] } })).toMatchObject({
      accelerator: 'tcg',
    })
  })
  test('the other architecture and a missing device need no boot', async () => {
    expect((await probe('exit 1', { arch: 'arm64' })).reason).toContain('can only be emulated here')
    expect(
      await probe('exit 1', { platform: platformWith({ acceleratorProblem: () => Promise.resolve('no /dev/kvm') }) }),
    ).toEqual({ accelerator: 'tcg', reason: 'no /dev/kvm' })
    expect(await runs()).toBe(0)
  })
  test('the verdict is remembered until QEMU, the kernel or the host’s boot change', async () => {
    const script = 'echo "No working init found"; exec sleep 60'
    await probe(script)
    await probe(script)
    expect(await runs()).toBe(1)
    await probe(script, { kernel: { path: '/k', id: 'k2' } })
    await probe(script, { platform: platformWith({ hostBootId: () => Promise.resolve('boot-2') }) })
    expect(await runs()).toBe(3)
    // Verdicts of the earlier boot are gone.
    expect(Object.keys(JSON.parse(await readFile(join(folder, 'accelerators.json'), 'utf8')) as object)).toHaveLength(1)
  })
  test('a damaged memory is no obstacle', async () => {
    await writeFile(join(folder, 'accelerators.json'), '{')
    expect(await probe('echo "No working init found"; exec sleep 60')).toEqual({ accelerator: 'kvm' })
  })
})
