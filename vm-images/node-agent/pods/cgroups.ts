// Pod-level cgroups (cgroup v2): /kubepods, its QoS folders and one folder per pod, made before the runtime puts containers inside.
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cpuPeriodUs, sharesToWeight, type PodCgroup } from './resources.ts'

export const cgroupRoot = '/sys/fs/cgroup'
const controllers = '+cpu +cpuset +io +memory +pids'

/** Idempotent. `root` differs only in tests. */
export async function ensurePodCgroup(cgroup: PodCgroup, root: string = cgroupRoot): Promise<void> {
  let folder = root
  for (const name of cgroup.path.split('/').filter((part) => part !== '')) {
    await delegate(folder)
    folder = join(folder, name)
    await mkdir(folder, { recursive: true })
  }
  await delegate(folder)
  await write(folder, 'cpu.weight', String(sharesToWeight(cgroup.cpuShares)))
  await write(
    folder,
    'cpu.max',
    `${cgroup.cpuQuotaUs === 0 ? 'max' : String(cgroup.cpuQuotaUs)} ${String(cpuPeriodUs)}`,
  )
  await write(folder, 'memory.max', cgroup.memoryLimitBytes === 0 ? 'max' : String(cgroup.memoryLimitBytes))
}

/** Removes an empty pod cgroup; one that still has processes stays, the next clean-up tries again. */
export async function removePodCgroup(path: string, root: string = cgroupRoot): Promise<boolean> {
  try {
    await rmdir(join(root, path))
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

async function delegate(folder: string): Promise<void> {
  const enabled = await readFile(join(folder, 'cgroup.subtree_control'), 'utf8').catch(() => '')
  const missing = controllers.split(' ').filter((name) => !enabled.split(/\s+/).includes(name.slice(1)))
  // One by one: a kernel without one of them must still give the others.
  for (const name of missing) await write(folder, 'cgroup.subtree_control', name)
}

async function write(folder: string, file: string, value: string): Promise<void> {
  try {
    await writeFile(join(folder, file), value)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A controller that this kernel does not have, or a folder the runtime has just removed.
    if (code !== 'ENOENT' && code !== 'EINVAL' && code !== 'EACCES' && code !== 'EPERM') throw error
  }
}
