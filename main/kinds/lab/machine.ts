// Machine: a QEMU virtual machine that is a node of the cluster.
import { labGroup, labVersion, type Machine } from '../../../common/api/lab/v1alpha1.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { checkTaints } from '../core/pod-spec/scheduling.ts'
import { defineOwnKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkLabels, checkName, isDnsSubdomain } from '../validation/names.ts'
import { checkOneOf, checkOptionalOneOf } from '../validation/values.ts'
import { labDefinitions, labSchemaName } from './schema.ts'

const architectures = ['amd64', 'arm64']

/** Bounds with what lies beyond them. */
const bounds = {
  cpus: { least: 1, most: 16, tooFew: 'a machine needs a CPU', tooMany: 'more than QEMU can emulate usefully' },
  memoryMiB: { least: 256, most: 65_536, tooFew: 'below that the node cannot boot', tooMany: '64 GiB' },
  diskGiB: { least: 1, most: 1024, tooFew: 'the node needs room for images and logs', tooMany: '1 TiB' },
} as const

export const machine = defineOwnKind<Machine>({
  group: labGroup,
  version: labVersion,
  kind: 'Machine',
  plural: 'machines',
  singular: 'machine',
  scope: 'Cluster',
  schema: { root: labSchemaName('Machine'), definitions: labDefinitions },
  shortNames: ['ma'],
  // The name becomes the node's name and host name.
  nameRule: 'dns-label',
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= {}
    const { spec } = object
    if (spec === undefined) return
    spec.cpus ??= 1
    spec.memoryMiB ??= 512
    spec.diskGiB ??= 8
    spec.image ||= 'node'
    spec.powerState ||= 'Running'
    spec.restartPolicy ||= 'Always'
  },
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    if (spec === undefined) return [required('spec')]
    checkOneOf(errors, 'spec.arch', spec.arch, architectures, `one of ${architectures.join(', ')}`)
    for (const field of ['cpus', 'memoryMiB', 'diskGiB'] as const) {
      const value = spec[field]
      const { least, most, tooFew, tooMany } = bounds[field]
      if (value === undefined) continue
      if (value < least)
        errors.push(invalidValue(`spec.${field}`, value, `must be at least ${String(least)}: ${tooFew}`))
      if (value > most) errors.push(invalidValue(`spec.${field}`, value, `must be at most ${String(most)}: ${tooMany}`))
    }
    checkOptionalOneOf(errors, 'spec.powerState', spec.powerState, ['Running', 'Stopped'])
    checkOptionalOneOf(errors, 'spec.restartPolicy', spec.restartPolicy, ['Always', 'Never'])
    if (spec.image !== undefined) checkName(errors, 'spec.image', spec.image, isDnsSubdomain)
    checkLabels(errors, 'spec.labels', spec.labels)
    checkTaints(errors, 'spec.taints', spec.taints ?? [])
    return errors
  },
  update: mainDoor(({ spec }, { spec: old }) => {
    const errors: FieldError[] = []
    if (spec.arch !== old.arch) {
      errors.push(
        invalidValue(
          'spec.arch',
          spec.arch,
          'field is immutable: its disk belongs to this architecture; make another machine',
        ),
      )
    }
    if ((spec.diskGiB ?? 0) < (old.diskGiB ?? 0)) {
      errors.push(
        invalidValue('spec.diskGiB', spec.diskGiB, 'must not be less than the previous value: a disk cannot shrink'),
      )
    }
    return errors
  }),
  status: statusDoor(),
  selectableFields: ({ spec, status }) => ({ 'spec.arch': spec?.arch ?? '', 'status.phase': status?.phase ?? '' }),
  columns: [
    nameColumn,
    { name: 'Arch', type: 'string', cell: ({ spec }) => spec?.arch ?? '' },
    { name: 'CPUs', type: 'integer', cell: ({ spec }) => spec?.cpus ?? 0 },
    {
      name: 'Memory',
      type: 'string',
      cell: ({ spec }) => (spec?.memoryMiB === undefined ? '' : `${String(spec.memoryMiB)}Mi`),
    },
    { name: 'Phase', type: 'string', cell: ({ status }) => status?.phase ?? 'Pending' },
    {
      name: 'Address',
      type: 'string',
      description: 'Address on the node LAN',
      cell: ({ status }) => status?.lanAddress || '<none>',
    },
    ageColumn,
    { name: 'Reason', type: 'string', priority: 1, cell: ({ status }) => status?.reason ?? '' },
    { name: 'Accelerator', type: 'string', priority: 1, cell: ({ status }) => status?.accelerator || '<none>' },
    { name: 'Message', type: 'string', priority: 1, cell: ({ status }) => status?.message ?? '' },
  ],
})
