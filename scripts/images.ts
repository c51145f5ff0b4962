// Node images and the built-in OCI images for the wanted architectures, from Debian packages, cached by content.
import { buildNodeImage } from '../vm-images/build.ts'
import { buildBuiltInImages } from '../vm-images/oci/index.ts'
import { ensureKubectl } from '../vm-images/host-tools.ts'
import { defaultCache } from '../main/engine/paths.ts'
import type { GuestArch } from '../common/channel/guest-config.ts'
import { step } from './progress.ts'

export async function buildImages(archs: readonly GuestArch[]): Promise<void> {
  const cache = defaultCache()
  for (const arch of archs) {
    await step(`Node image ${arch}`, async (detail) => (await buildNodeImage({ arch, cache, onProgress: detail })).id)
  }
  await step('Container images', async (detail) => {
    await buildBuiltInImages({ cache, onProgress: detail })
  })
  await step('kubectl', async () => ensureKubectl({ cache }))
}
