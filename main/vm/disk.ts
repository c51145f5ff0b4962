// A machine's writable disk: a qcow2 overlay on the shared empty ext4 template, grown to the wished size. The guest grows the
// file system when it mounts it.
import { execFile } from 'node:child_process'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
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
  readonly backingFile?: string
}

/** Creates the overlay unless it exists, and grows it to `sizeGiB` when it is smaller. Never shrinks. Must not run while the VM does. */
export async function ensureDisk(options: { path: string; template: string; sizeGiB: number }): Promise<void> {
  const { path, template, sizeGiB } = options
  const wantedBytes = sizeGiB * 1024 ** 3
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  try {
    if (!exists) {
      await mkdir(dirname(path), { recursive: true })
      const temporary = `${path}.new`
      await rm(temporary, { force: true })
      await qemuImg(['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', template, temporary, `${String(sizeGiB)}G`])
      await rename(temporary, path)
      return
    }
    const info = await diskInfo(path)
    if (info.virtualBytes < wantedBytes) await qemuImg(['resize', '-q', path, `${String(sizeGiB)}G`])
  } catch (error) {
    if (error instanceof VmError) throw error
    if (isDiskFull(error)) {
      throw new VmError('DiskFull', `no space left to write ${path}`, {
        hint: 'free some space on that disk; the machine starts by itself then',
        cause: error,
      })
    }
    throw error
  }
}

export async function diskInfo(path: string): Promise<DiskInfo> {
  const text = await qemuImg(['info', '--output=json', '-U', path])
  const info = JSON.parse(text) as { 'virtual-size': number; 'actual-size': number; 'full-backing-filename'?: string }
  const backingFile = info['full-backing-filename']
  return {
    virtualBytes: info['virtual-size'],
    actualBytes: info['actual-size'],
    ...(backingFile === undefined ? {} : { backingFile }),
  }
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
