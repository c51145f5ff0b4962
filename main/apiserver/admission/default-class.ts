// Of the classes that are marked as default, the one that is meant: the newest, then by name.
import type { KubeObject } from '../../../common/machinery/meta.ts'

export function newestDefault(classes: readonly KubeObject[], annotations: readonly string[]): KubeObject | undefined {
  const marked = classes.filter(({ metadata }) => annotations.some((name) => metadata.annotations?.[name] === 'true'))
  const created = ({ metadata }: KubeObject): number => Date.parse(metadata.creationTimestamp ?? '') || 0
  return marked.sort(
    (a, b) => created(b) - created(a) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
  )[0]
}
