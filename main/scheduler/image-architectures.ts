// Which architectures the lab's images are built for, by full name, from lab.orrery.dev Images.
import type { Image } from '../../common/api/lab/v1alpha1.ts'
import type { Informer } from '../../common/client/informer.ts'
import type { ImageArchitectures } from './plugins/image-architecture.ts'
import { fullImageName } from './plugins/image-name.ts'

export function newImageArchitectures(images: Informer<Image>): { of: ImageArchitectures; stop: () => void } {
  let byName: Map<string, ReadonlySet<string>> | undefined
  const forget = (): void => {
    byName = undefined
  }
  const stop = images.subscribe({ onAdd: forget, onUpdate: forget, onDelete: forget })
  const of: ImageArchitectures = (name) => {
    byName ??= new Map(images.list().map((image) => [fullImageName(image.spec.reference), architecturesOf(image)]))
    return byName.get(name)
  }
  return { of, stop }
}

function architecturesOf(image: Image): ReadonlySet<string> {
  return new Set(
    (image.status?.platforms ?? []).filter(({ os }) => os === 'linux').map(({ architecture }) => architecture),
  )
}
