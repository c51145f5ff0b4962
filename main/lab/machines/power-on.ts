// From a request to a running QEMU process: node image, disks, credentials, addresses, command line.
import { mkdir } from 'node:fs/promises'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { MachinePaths } from '../../engine/paths.ts'
import type { LanSwitch } from '../../network/switch.ts'
import { commandLine } from '../../vm/command-line.ts'
import { writeConfigDisk } from '../../vm/config-disk.ts'
import { ensureDisk } from '../../vm/disk.ts'
import { newEndpoint } from '../../vm/endpoint.ts'
import { launchVm, type RunningVm, type VmFiles } from '../../vm/process.ts'
import type { GuestSupplies } from './deps.ts'
import type { BootRequest } from './driver.ts'
import { agentGuestPort, guestConfigOf } from './guest-config-of.ts'
import type { HostPreparation } from './host-facts.ts'

export interface PowerOnInput {
  readonly name: string
  readonly paths: MachinePaths
  readonly files: VmFiles
  readonly request: BootRequest
  readonly host: HostPreparation
  readonly supplies: GuestSupplies
  readonly lan: LanSwitch
  readonly clock: Clock
  /** The loopback port to forward to the agent; asked for late, so that it is still free when QEMU takes it. */
  readonly chooseHostPort: () => Promise<number>
  /** In words that follow "before power-on:". */
  readonly onStep: (step: string) => void
  readonly signal: AbortSignal
}

export async function powerOn(input: PowerOnInput): Promise<RunningVm> {
  const { clock, files, host, lan, name, onStep, paths, request, signal, supplies } = input
  const prepared = await Promise.race([host.prepare(request.arch, onStep), aborted(signal)])
  onStep('creating the disk')
  await mkdir(paths.folder, { recursive: true, mode: 0o700 })
  await ensureDisk({ path: paths.disk, template: prepared.image.dataTemplate, sizeGiB: request.diskGiB })
  const [credentials, agentBundle] = await Promise.all([
    supplies.issueAgentCertificate({ name, uid: request.uid }),
    supplies.agentBundle(),
  ])
  const { network, pauseImage, registryPort } = supplies
  const config = guestConfigOf({ request, credentials, network, pauseImage, registryPort, nowMs: clock.now() })
  await writeConfigDisk(paths.configDisk, config, agentBundle)
  onStep('starting QEMU')
  await lan.portOf(name)
  const [qmp, console] = await Promise.all([newEndpoint(paths.qmpSocket), newEndpoint(paths.consoleSocket)])
  const hostPort = await input.chooseHostPort()
  signal.throwIfAborted()
  const { arch, cpus, generation, memoryMiB, uid } = request
  const { accelerator, qemu } = prepared.facts
  const args = commandLine(
    {
      name,
      arch,
      cpus,
      memoryMiB,
      kernel: prepared.image.kernel,
      initrd: prepared.image.initrd,
      root: prepared.image.root,
      disk: paths.disk,
      configDisk: paths.configDisk,
      macs: request.identity.macs,
      agentForward: { hostPort, guestPort: agentGuestPort },
      qmp,
      console,
      consoleLog: paths.consoleLog,
      pidFile: files.pidFile,
    },
    prepared.facts,
  )
  return launchVm({
    files,
    binary: qemu.binary,
    args,
    consoleLog: paths.consoleLog,
    signal,
    state: {
      machine: name,
      machineUid: uid,
      qmp,
      console,
      hostPort,
      qemuVersion: qemu.version,
      accelerator,
      cpus,
      memoryMiB,
      generation,
    },
  })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'))
    }
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}
