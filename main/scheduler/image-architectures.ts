// Which architectures the lab's images are built for, by full name, from lab.orrery.dev Images.
import type { Image } from '../../common/api/lab/v1alpha1.ts'
import type { Informer } from '../../common/client/informer.ts'
import type { ImageArchitectures } from './plugins/image-architecture.ts'
import { fullImageName } from './plugins/image-name.ts'

export function newImageArchitectures(images: Informer<Image>): ImageArchitectures {
  let byName: Map<string, ReadonlySet<string>> | undefined
  const forget = (): void => {
    byName = undefined
  }
  images.subscribe({ onAdd: forget, onUpdate: forget, onDelete: forget })
  return (name) => {
    byName ??= new Map(images.list().map((image) => [fullImageName(image.spec.reference), architecturesOf(image)]))
    return byName.get(name)
  }
}

function architecturesOf(image: Image): ReadonlySet<string> {
  return new Set(
    (image.status?.platforms ?? []).filter(({ os }) => os === 'linux').map(({ architecture }) => architecture),
  )
}
