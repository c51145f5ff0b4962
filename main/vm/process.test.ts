// Against a real QEMU without a guest: it starts in a fraction of a second and shows everything about process, monitor and adoption.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../common/client/testing/eventually.ts'
import type { Endpoint } from './endpoint.ts'
import { platform } from './platform/index.ts'
import { adoptVm, endStray, launchVm, readState, type RunningVm, type VmFiles } from './process.ts'
import { findQemu, type QemuBinary } from './qemu-binary.ts'

const qemu: QemuBinary | undefined = await findQemu('amd64').catch(() => undefined)

let folder = ''
let files: VmFiles
const started: number[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-vm-'))
  files = { state: join(folder, 'state.json'), qemuLog: join(folder, 'qemu.log'), pidFile: join(folder, 'qemu.pid') }
})
afterEach(async () => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended as it should have.
    }
    await eventually(async () => (await platform.processStartTime(pid)) === undefined)
  }
  await rm(folder, { recursive: true, force: true })
})

const endpoint = (name: string): Endpoint => ({ type: 'unix', path: join(folder, name) })

async function launch(extra: readonly string[] = []): Promise<RunningVm> {
  const qmp = endpoint('qmp')
  const vm = await launchVm({
    files,
    binary: qemu?.binary ?? '',
    args: [
      ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-S', '-pidfile', files.pidFile],
      ...['-chardev', `socket,id=m,path=${join(folder, 'qmp')},server=on,wait=off`, '-mon', 'chardev=m,mode=control'],
      ...extra,
    ],
    consoleLog: join(folder, 'console.log'),
    state: {
      machine: 'm',
      machineUid: 'u',
      qmp,
      console: endpoint('con'),
      hostPort: 1,
      qemuVersion: qemu?.version ?? [0, 0, 0],
      accelerator: 'tcg',
      cpus: 1,
      memoryMiB: 64,
      generation: 3,
    },
  })
  started.push(vm.state.pid)
  return vm
}

describe.skipIf(qemu === undefined)('QEMU process', () => {
  test('starts, answers, ends when asked, and says so', async () => {
    const vm = await launch()
    expect(vm.qmp.version).toEqual(qemu?.version)
    expect(await readState(files.state)).toMatchObject({ machine: 'm', pid: vm.state.pid, generation: 3 })
    expect((await readFile(files.pidFile, 'utf8')).trim()).toBe(String(vm.state.pid))
    expect(await vm.end()).toEqual({ cause: 'host', code: 0 })
  })

  test('a process that dies is noticed at once, with how it died', async () => {
    const vm = await launch()
    process.kill(vm.state.pid, 'SIGKILL')
    expect(await vm.exited).toEqual({ cause: 'unknown', signal: 'SIGKILL' })
  })

  test('a QEMU that refuses its arguments fails with its own words and leaves nothing', async () => {
    await expect(launch(['-device', 'no-such-device'])).rejects.toMatchObject({
      code: 'QemuFailed',
      message: expect.stringContaining("'no-such-device' is not a valid device model name") as string,
    })
    expect(await readState(files.state)).toBeUndefined()
  })

  test('a program that is not there is an error with a remedy', async () => {
    const missing = launchVm({
      files,
      binary: '/nonexistent/qemu',
      args: [],
      consoleLog: join(folder, 'c'),
      state: {
        machine: 'm',
        machineUid: 'u',
        qmp: endpoint('q'),
        console: endpoint('c'),
        hostPort: 1,
        qemuVersion: [7, 2, 0],
        accelerator: 'tcg',
        cpus: 1,
        memoryMiB: 1,
        generation: 1,
      },
    })
    await expect(missing).rejects.toMatchObject({
      code: 'QemuFailed',
      hint: expect.stringContaining('install') as string,
    })
  })

  test('is adopted by pid, start time and monitor, and its end is seen by the adopter', async () => {
    const vm = await launch()
    vm.release()
    const adoption = await eventually(async () => {
      const found = await adoptVm(files)
      expect(found.found).toBe('running')
      return found
    })
    if (adoption.found !== 'running') throw new Error('not adopted')
    expect(adoption.vm.state).toEqual(vm.state)
    process.kill(vm.state.pid, 'SIGKILL')
    expect((await adoption.vm.exited).cause).toBe('unknown')
  })

  test('a lost monitor connection is made again', async () => {
    const vm = await launch()
    const first = vm.qmp
    first.close()
    await eventually(() => vm.qmp !== first)
    expect(await vm.qmp.execute('query-status')).toMatchObject({ running: false })
    await vm.end()
  })

  test('another process with the recorded pid is not believed', async () => {
    const vm = await launch()
    await vm.end()
    const other = spawn('sleep', ['60'])
    started.push(other.pid ?? 0)
    await writeFile(files.state, JSON.stringify({ ...vm.state, pid: other.pid }))
    expect(await adoptVm(files)).toMatchObject({ found: 'dead', hostRestarted: false })
    expect(other.exitCode).toBeNull()
    expect(await adoptVm(files)).toEqual({ found: 'nothing' })
  })

  test('a VM of an earlier host boot is dead, not crashed', async () => {
    const vm = await launch()
    await vm.end()
    await writeFile(files.state, JSON.stringify({ ...vm.state, hostBootId: 'before' }))
    expect(await adoptVm(files)).toMatchObject({ found: 'dead', hostRestarted: true })
  })

  test('a VM that was started but never recorded is ended', async () => {
    const vm = await launch()
    vm.release()
    await rm(files.state)
    expect(await adoptVm(files)).toEqual({ found: 'nothing' })
    await eventually(() => endStray(vm.state.qmp))
    await eventually(async () => (await platform.processStartTime(vm.state.pid)) === undefined)
    expect(await endStray(vm.state.qmp)).toBe(false)
  })

  test.each(['', '{', '{"formatVersion":99}'])(
    'a damaged state file (%j) means that nothing is known',
    async (text) => {
      await writeFile(files.state, text)
      expect(await adoptVm(files)).toEqual({ found: 'nothing' })
    },
  )
})
