// One real lab for all end-to-end files: two QEMU machines, amd64 and arm64, started as a person starts them. Everything it starts is
// ended again, whatever happens.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { homePaths } from '../../main/engine/paths.ts'
import { lockHolder } from '../../main/engine/home-lock.ts'
import { orrery } from '../harness/programs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    home: string
  }
}

async function endVms(home: string): Promise<void> {
  const { readdir } = await import('node:fs/promises')
  const paths = homePaths(home)
  for (const name of await readdir(paths.machines).catch(() => [] as string[])) {
    try {
      const { pid } = JSON.parse(await readFile(paths.machine(name).state, 'utf8')) as { pid?: number }
      const command = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8')
      // Only a QEMU of this very home.
      if (pid !== undefined && command.includes('qemu') && command.includes(home)) process.kill(pid, 'SIGKILL')
    } catch {
      // Not running any more.
    }
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'orrery-e2e-'))
  const teardown = async (): Promise<void> => {
    const down = await orrery(home, ['down'], { timeoutMs: 120_000 }).catch((error: unknown) => ({
      code: 1,
      stdout: '',
      stderr: String(error),
    }))
    if (down.code !== 0) process.stderr.write(`orrery down: ${down.stderr}\n`)
    const holder = await lockHolder(homePaths(home).lock)
    if (holder !== undefined) process.kill(holder, 'SIGKILL')
    await endVms(home)
    if (process.env['ORRERY_KEEP'] === undefined) await rm(home, { recursive: true, force: true })
  }
  // Ended from outside, too: the VMs are processes of their own and would stay.
  process.once('SIGTERM', () => {
    void teardown().finally(() => process.exit(143))
  })
  try {
    const up = await orrery(home, ['up', '--timeout', '600'], { timeoutMs: 660_000 })
    process.stdout.write(up.stdout)
    if (up.code !== 0)
      throw new Error(
        `orrery up failed:\n${up.stdout}${up.stderr}\n${(await readFile(homePaths(home).engineLog, 'utf8').catch(() => '')).slice(-6000)}`,
      )
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('home', home)
  return teardown
}
