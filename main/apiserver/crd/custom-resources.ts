// Serves what CustomResourceDefinitions define: watches them and keeps the table of served resources in step.
import type { Registry } from '../registry/context.ts'

export class CustomResources {
  constructor(_registry: Registry) {
    // Filled in by the definition kind's arrival.
  }

  close(): void {
    return
  }
}
