// Node images and the built-in OCI images for the wanted architectures, from Debian packages, cached by content.
import { buildNodeImage } from '../vm-images/build.ts'
import { buildImages as buildContainerImages } from '../vm-images/oci/build-images.ts'
import { ensureKubectl } from '../vm-images/host-tools.ts'
import { defaultCache } from '../main/engine/paths.ts'
import type { GuestArch } from '../common/channel/guest-config.ts'
import type { BuildProgress } from '../vm-images/build.ts'
import { step } from './progress.ts'

/** "unpacking packages, 40 of 120 MB" */
export function describeProgress({ step: what, done, total }: BuildProgress): string {
  if (done === undefined || total === undefined) return what
  const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6))
  return `${what}, ${megabytes(done)} of ${megabytes(total)} MB`
}

export async function buildImages(archs: readonly GuestArch[]): Promise<void> {
  const cache = defaultCache()
  for (const arch of archs) {
    await step(
      `Node image ${arch}`,
      async (detail) =>
        (
          await buildNodeImage({
            arch,
            cache,
            onProgress: (progress) => {
              detail(describeProgress(progress))
            },
          })
        ).id,
    )
  }
  await step('Container images', async (detail) => {
    const built = await buildContainerImages({
      cache,
      onProgress: ({ image, step: what }) => {
        detail(`${image}: ${what}`)
      },
    })
    return built.map(({ name }) => name).join(', ')
  })
  await step('kubectl', async (detail) => {
    await ensureKubectl({ cache, onStep: detail })
  })
}
