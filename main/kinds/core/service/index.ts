// Service: one stable address and name for a changing set of pods.
import { defineKind } from '../../kind.ts'
import { dropStatus, restore, statusDoor } from '../../strategy.ts'
import { allocate } from './allocation.ts'
import { serviceAddresses } from './cluster-ips.ts'
import { serviceColumns } from './columns.ts'
import { setServiceDefaults } from './defaults.ts'
import { dropUnneeded, keepAllocated } from './transition.ts'
import { serviceWarnings } from './warnings.ts'
import { checkService, checkServiceStatus, checkServiceUpdate } from './validation.ts'

export const service = defineKind('v1/services', {
  returnsDeletedObject: true,
  shortNames: ['svc'],
  categories: ['all'],
  nameRule: 'dns-label-1035',
  tracksGeneration: false,
  serializeWrites: true,
  allowCreateOnUpdate: true,
  companions: serviceAddresses,
  prepareForCreate: dropStatus,
  setDefaults: setServiceDefaults,
  allocate,
  validate: checkService,
  update: {
    prepare: (object, old) => {
      restore(object, old, 'status')
      keepAllocated(object, old)
      dropUnneeded(object, old)
    },
    validate: checkServiceUpdate,
  },
  status: statusDoor({ validate: checkServiceStatus }),
  warnings: serviceWarnings,
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
  columns: serviceColumns,
})
