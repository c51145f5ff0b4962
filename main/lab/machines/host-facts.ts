// Node images, QEMU and accelerator verdicts, each found once for all machines that wait for it.
import type { GuestArch } from '../../../common/channel/guest-config.ts'
import type { AcceleratorVerdict } from '../../vm/accelerator.ts'
import { probeAccelerator } from '../../vm/accelerator.ts'
import type { HostFacts } from '../../vm/command-line.ts'
import { platform } from '../../vm/platform/index.ts'
import { findQemu } from '../../vm/qemu-binary.ts'
import type { NodeImage, NodeImageSource } from './deps.ts'

export interface PreparedHost {
  readonly image: NodeImage
  readonly facts: HostFacts
  readonly verdict: AcceleratorVerdict
}

export interface HostPreparation {
  /** Concurrent calls for one architecture share the work; `onStep` gets what it is at. */
  prepare(arch: GuestArch, onStep: (step: string) => void): Promise<PreparedHost>
  /** Verdicts found so far. */
  verdicts(): ReadonlyMap<GuestArch, AcceleratorVerdict>
  /** Gives up running builds and probes. */
  stop(): void
}

export interface HostPreparationOptions {
  readonly images: NodeImageSource
  readonly hostArch: GuestArch
  readonly acceleratorCache: string
}

interface Work {
  readonly done: Promise<PreparedHost>
  readonly watchers: Set<(step: string) => void>
  step: string
}

export function createHostPreparation(options: HostPreparationOptions): HostPreparation {
  const running = new Map<GuestArch, Work>()
  const verdicts = new Map<GuestArch, AcceleratorVerdict>()
  const stop = new AbortController()

  const start = (arch: GuestArch): Work => {
    const watchers = new Set<(step: string) => void>()
    const onStep = (step: string): void => {
      work.step = step
      for (const watcher of watchers) watcher(step)
    }
    const work: Work = {
      watchers,
      step: 'looking for QEMU',
      done: run(arch, onStep).finally(() => running.delete(arch)),
    }
    running.set(arch, work)
    return work
  }

  const run = async (arch: GuestArch, onStep: (step: string) => void): Promise<PreparedHost> => {
    const qemu = await findQemu(arch)
    onStep(`preparing the node image for ${arch}`)
    const image = await options.images.nodeImage(arch, {
      onProgress: (line) => {
        onStep(`preparing the node image for ${arch}: ${line}`)
      },
      signal: stop.signal,
    })
    onStep('testing hardware acceleration')
    const verdict = await probeAccelerator({
      arch,
      hostArch: options.hostArch,
      qemu,
      kernel: { path: image.kernel, id: image.id },
      cacheFile: options.acceleratorCache,
      signal: stop.signal,
    })
    verdicts.set(arch, verdict)
    const emulatedTscKhz = await platform.emulatedTscKhz()
    const facts: HostFacts = {
      qemu,
      accelerator: verdict.accelerator,
      ...(emulatedTscKhz === undefined ? {} : { emulatedTscKhz }),
    }
    return { image, facts, verdict }
  }

  return {
    async prepare(arch, onStep) {
      const work = running.get(arch) ?? start(arch)
      work.watchers.add(onStep)
      onStep(work.step)
      try {
        return await work.done
      } finally {
        work.watchers.delete(onStep)
      }
    },
    verdicts: () => verdicts,
    stop() {
      stop.abort()
    },
  }
}
