// The pause image: catatonit (static) in its pause mode holds a pod's namespaces, reaps, and ends at once on SIGTERM.
import type { DebianArch } from '../debian/archive.ts'
import { layoutFiles, packLayer, type ImageConfig, type PlatformImage } from './layout.ts'

export const pauseNames = ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:latest']
export const pauseProgram = 'usr/bin/catatonit'

export const pauseConfig: ImageConfig = { Entrypoint: ['/pause', '-P'], User: '65535:65535', WorkingDir: '/' }

export async function pausePlatform(arch: DebianArch, program: Buffer): Promise<PlatformImage> {
  return {
    architecture: arch,
    ...(arch === 'arm64' ? { variant: 'v8' } : {}),
    config: pauseConfig,
    layers: [await packLayer([{ path: 'pause', mode: 0o755, content: program }])],
  }
}

/** The layout for one architecture, as it is put into the node image. */
export async function pauseLayout(arch: DebianArch, program: Buffer): Promise<Map<string, Buffer>> {
  return layoutFiles({ names: pauseNames.slice(0, 1), platforms: [await pausePlatform(arch, program)] })
}
