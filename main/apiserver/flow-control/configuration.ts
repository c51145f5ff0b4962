// The flow schemas and priority levels in force: those in the store, and the mandatory ones whether they are there or not.
import type {
  FlowSchema,
  FlowSchemaSpec,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '../../kinds/flowcontrol/mandatory.ts'
import type { Store } from '../../store/store.ts'

export const flowControlPrefix = '/registry/flowcontrol.apiserver.k8s.io/'

export interface Configured<Spec> {
  readonly uid: string
  readonly spec: Spec
}

export interface FlowConfiguration {
  readonly levels: ReadonlyMap<string, Configured<PriorityLevelConfigurationSpec>>
  /** In the order in which they are asked; those whose level does not exist are left out. */
  readonly schemas: readonly (Configured<FlowSchemaSpec> & { readonly name: string })[]
}

export function readFlowConfiguration(store: Store): FlowConfiguration {
  const levels = new Map<string, Configured<PriorityLevelConfigurationSpec>>(
    Object.entries(mandatoryPriorityLevels).map(([name, spec]) => [name, { uid: '', spec }]),
  )
  for (const { metadata, spec } of read<PriorityLevelConfiguration>(store, 'prioritylevelconfigurations')) {
    if (spec !== undefined) levels.set(metadata.name ?? '', { uid: metadata.uid ?? '', spec })
  }
  const schemas = new Map<string, Configured<FlowSchemaSpec>>(
    Object.entries(mandatoryFlowSchemas).map(([name, spec]) => [name, { uid: '', spec }]),
  )
  for (const { metadata, spec } of read<FlowSchema>(store, 'flowschemas')) {
    if (spec !== undefined) schemas.set(metadata.name ?? '', { uid: metadata.uid ?? '', spec })
  }
  return {
    levels,
    schemas: [...schemas]
      .map(([name, schema]) => ({ name, ...schema }))
      .filter(({ spec }) => levels.has(spec.priorityLevelConfiguration.name))
      .sort((a, b) => precedenceOf(a.spec) - precedenceOf(b.spec) || (a.name < b.name ? -1 : 1)),
  }
}

const precedenceOf = ({ matchingPrecedence = 1000 }: FlowSchemaSpec): number => matchingPrecedence

const read = <T>(store: Store, plural: string): (T & KubeObject)[] =>
  store
    .range({ prefix: `${flowControlPrefix}${plural}/` })
    .entries.map(({ value }) => JSON.parse(value) as T & KubeObject)
