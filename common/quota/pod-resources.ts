// What a pod asks for as a whole: containers and sidecars together, or the largest init container if that is more; plus overhead.
// A pod's own resources stand in for what its containers say.
import type { Container, Pod } from '../api/generated/types.ts'
import type { Quantity } from '../machinery/quantity.ts'
import { addAmounts, type Amounts, maxAmounts, readAmounts } from './resource-amounts.ts'

export function podResources({ spec }: Pod, what: 'requests' | 'limits'): Map<string, Quantity> {
  const of = (container: Container): Amounts => readAmounts(container.resources?.[what])
  let running = new Map<string, Quantity>()
  for (const container of spec?.containers ?? []) running = addAmounts(running, of(container))
  let sidecars = new Map<string, Quantity>()
  let starting = new Map<string, Quantity>()
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sidecars = addAmounts(sidecars, of(container))
      starting = maxAmounts(starting, sidecars)
    } else starting = maxAmounts(starting, addAmounts(sidecars, of(container)))
  }
  const total = maxAmounts(addAmounts(running, sidecars), starting)
  for (const [name, value] of readAmounts(spec?.resources?.[what])) total.set(name, value)
  const overhead = readAmounts(spec?.overhead)
  // A limit that is not set stays unset: overhead alone limits nothing.
  if (what === 'limits') for (const name of [...overhead.keys()]) if (!total.has(name)) overhead.delete(name)
  return addAmounts(total, overhead)
}
