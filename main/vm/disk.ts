// A machine's writable disk: a copy of the empty ext4 template (6 MB), grown to the wished size; the guest grows the file system
// when it mounts it. A copy and not an overlay, so that a node's data does not depend on a file of the image cache.
import { execFile } from 'node:child_process'
import { constants, copyFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { findQemuImg } from './qemu-binary.ts'
import { isDiskFull, VmError } from './vm-error.ts'

const run = promisify(execFile)

/** qemu-img only writes metadata here; a minute is for disks that sleep. */
const qemuImgTimeoutMs = 60_000

export interface DiskInfo {
  readonly virtualBytes: number
  readonly actualBytes: number
}

/** Makes the disk unless it exists, and grows it to `sizeGiB` when it is smaller; never shrinks (the template's size is the least). Must not run while the VM does. */
export async function ensureDisk(options: { path: string; template: string; sizeGiB: number }): Promise<void> {
  const { path, template, sizeGiB } = options
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  try {
    if (!exists) {
      await mkdir(dirname(path), { recursive: true })
      const temporary = `${path}.new`
      await copyFile(template, temporary, constants.COPYFILE_FICLONE)
      await grow(temporary, sizeGiB)
      await rename(temporary, path)
    } else await grow(path, sizeGiB)
  } catch (error) {
    if (error instanceof VmError) throw error
    if (isDiskFull(error)) {
      throw new VmError('DiskFull', `no space left to write ${path}`, {
        hint: 'free some space on that disk; the machine starts by itself then',
        cause: error,
      })
    }
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new VmError('ImageMissing', `the template ${template} is not there`, {
        hint: 'the node image is made again at the next try',
        cause: error,
      })
    }
    throw error
  }
}

async function grow(path: string, sizeGiB: number): Promise<void> {
  const { virtualBytes } = await diskInfo(path)
  if (virtualBytes < sizeGiB * 1024 ** 3) await qemuImg(['resize', '-q', '-f', 'qcow2', path, `${String(sizeGiB)}G`])
}

export async function diskInfo(path: string): Promise<DiskInfo> {
  const text = await qemuImg(['info', '--output=json', '-U', '-f', 'qcow2', path])
  const info = JSON.parse(text) as { 'virtual-size': number; 'actual-size': number }
  return { virtualBytes: info['virtual-size'], actualBytes: info['actual-size'] }
}

async function qemuImg(args: string[]): Promise<string> {
  const binary = await findQemuImg()
  try {
    const { stdout } = await run(binary, args, { timeout: qemuImgTimeoutMs, windowsHide: true })
    return stdout
  } catch (error) {
    const text = ((error as { stderr?: string }).stderr ?? '').trim() || (error as Error).message
    if (isDiskFull(new Error(text)))
      throw new VmError('DiskFull', text, {
        hint: 'free some space on that disk; the machine starts by itself then',
        cause: error,
      })
    throw new VmError('DiskBroken', `qemu-img ${args[0] ?? ''} failed: ${text}`, {
      hint: 'if the disk file is damaged, delete the machine and add it again; its pods are rescheduled',
      cause: error,
    })
  }
}
