// Schema facts of lab.orrery.dev/v1alpha1, in the form of the generated Kubernetes facts. The types are in common/api/lab.
import type { Definition, Field, TypeFact } from '../../../common/api/facts.ts'
import { labGroup, labVersion } from '../../../common/api/lab/v1alpha1.ts'

const prefix = 'dev.orrery.lab.v1alpha1.'
const condition: TypeFact = { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.Condition' }
const own = (name: string): TypeFact => ({ ref: `${prefix}${name}` })

export const labSchemaName = (kind: string): string => `${prefix}${kind}`

/** "string", or a longer form where a field needs one. */
type ShortFields = Record<string, TypeFact | Field>
const isField = (value: TypeFact | Field): value is Field => typeof value === 'object' && 'type' in value
const fields = (short: ShortFields): Record<string, Field> =>
  Object.fromEntries(Object.entries(short).map(([name, value]) => [name, isField(value) ? value : { type: value }]))

const kind = (name: string, body: ShortFields): Record<string, Definition> => ({
  [labSchemaName(name)]: {
    fields: fields({
      apiVersion: 'string',
      kind: 'string',
      metadata: { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      ...body,
    }),
    gvk: { group: labGroup, version: labVersion, kind: name },
  },
  [labSchemaName(`${name}List`)]: {
    fields: fields({
      apiVersion: 'string',
      kind: 'string',
      metadata: { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' },
      items: { type: { array: own(name) }, required: true },
    }),
    gvk: { group: labGroup, version: labVersion, kind: `${name}List` },
  },
})

const struct = (name: string, body: ShortFields): Record<string, Definition> => ({
  [labSchemaName(name)]: { fields: fields(body) },
})

const conditions: Field = {
  type: { array: condition },
  listType: 'map',
  listMapKeys: ['type'],
  patchMergeKey: 'type',
  patchStrategy: 'merge',
}

export const labDefinitions: Readonly<Record<string, Definition>> = {
  ...kind('Lab', { spec: own('LabSpec'), status: own('LabStatus') }),
  ...struct('LabSpec', { powerState: 'string', network: own('LabNetwork') }),
  ...struct('LabNetwork', { lanCIDR: 'string', clusterCIDR: 'string', serviceCIDR: 'string', internet: 'boolean' }),
  ...struct('LabStatus', {
    accelerators: { type: { array: own('AcceleratorStatus') }, listType: 'map', listMapKeys: ['arch'] },
    conditions,
  }),
  ...struct('AcceleratorStatus', { arch: 'string', accelerator: 'string', reason: 'string' }),

  ...kind('Machine', { spec: own('MachineSpec'), status: own('MachineStatus') }),
  ...struct('MachineSpec', {
    arch: { type: 'string', required: true },
    cpus: 'int32',
    memoryMiB: 'int32',
    diskGiB: 'int32',
    image: 'string',
    powerState: 'string',
    restartPolicy: 'string',
    labels: { map: 'string' },
    taints: { type: { array: { ref: 'io.k8s.api.core.v1.Taint' } }, listType: 'atomic' },
  }),
  ...struct('MachineStatus', {
    phase: 'string',
    reason: 'string',
    message: 'string',
    observedGeneration: 'int64',
    index: 'int32',
    lanAddress: 'string',
    podCIDR: 'string',
    macs: own('MachineMacs'),
    accelerator: 'string',
    pid: 'int64',
    startedAt: 'time',
    boots: 'int32',
    crashes: 'int32',
    lastExit: own('MachineExit'),
    conditions,
    bootMs: own('MachineBootTimes'),
    resources: own('MachineUse'),
  }),
  ...struct('MachineMacs', { control: 'string', lan: 'string' }),
  ...struct('MachineExit', { at: 'time', reason: 'string', message: 'string' }),
  ...struct('MachineBootTimes', { kernel: 'int64', init: 'int64', runtime: 'int64', agent: 'int64', ready: 'int64' }),
  ...struct('MachineUse', { rssBytes: 'int64', cpuMillis: 'int64' }),

  ...kind('Image', { spec: own('ImageSpec'), status: own('ImageStatus') }),
  ...struct('ImageSpec', { reference: { type: 'string', required: true } }),
  ...struct('ImageStatus', {
    digest: 'string',
    sizeBytes: 'int64',
    platforms: { type: { array: own('ImagePlatform') }, listType: 'atomic' },
    importedAt: 'time',
    source: 'string',
  }),
  ...struct('ImagePlatform', {
    os: 'string',
    architecture: 'string',
    variant: 'string',
    digest: 'string',
    sizeBytes: 'int64',
  }),

  ...kind('SchedulingDecision', { status: own('SchedulingDecisionStatus') }),
  ...struct('SchedulingDecisionStatus', {
    podUid: 'string',
    time: 'micro-time',
    attempt: 'int32',
    outcome: 'string',
    nodeName: 'string',
    message: 'string',
    nodes: { type: { array: own('NodeVerdict') }, listType: 'atomic' },
  }),
  ...struct('NodeVerdict', {
    node: { type: 'string', required: true },
    filters: { type: { array: own('FilterVerdict') }, listType: 'atomic' },
    scores: { type: { array: own('ScoreVerdict') }, listType: 'atomic' },
    total: 'number',
  }),
  ...struct('FilterVerdict', { plugin: 'string', passed: 'boolean', reason: 'string' }),
  ...struct('ScoreVerdict', { plugin: 'string', score: 'number', weight: 'number', reason: 'string' }),
}
