// CSINode: the volume drivers of one node, as its kubelet registered them.
import type { CSINodeDriver } from '../../../common/api/generated/types.ts'
import { duplicate, invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'
import { checkImmutable, checkNonNegative } from '../validation/values.ts'
import { checkDriverName } from './driver-name.ts'

const maxNodeIdBytes = 256

export const csiNode = defineKind('storage.k8s.io/v1/csinodes', {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  tracksGeneration: false,
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    const seen = new Set<string>()
    spec?.drivers?.forEach((driver, index) => {
      const at = `spec.drivers[${String(index)}]`
      checkDriver(errors, at, driver)
      if (seen.has(driver.name)) errors.push(duplicate(`${at}.name`, driver.name))
      seen.add(driver.name)
    })
    return errors
  },
  update: {
    validate: ({ spec }, { spec: old }) => {
      const errors: FieldError[] = []
      for (const before of old?.drivers ?? []) {
        for (const driver of spec?.drivers ?? []) {
          // How much fits may change while the driver runs.
          if (driver.name === before.name)
            checkImmutable(
              errors,
              'spec.drivers',
              { ...driver, allocatable: undefined },
              { ...before, allocatable: undefined },
            )
        }
      }
      return errors
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Drivers',
      type: 'integer',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
      cell: ({ spec }) => spec?.drivers?.length ?? 0,
    },
    ageColumn,
  ],
})

function checkDriver(errors: FieldError[], path: string, driver: CSINodeDriver): void {
  const { name = '', nodeID = '', allocatable, topologyKeys = [] } = driver
  checkDriverName(errors, `${path}.name`, name)
  if (nodeID === '') errors.push(required(`${path}.nodeID`))
  if (nodeID.length > maxNodeIdBytes) {
    errors.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${String(maxNodeIdBytes)} characters or less`))
  }
  checkNonNegative(errors, `${path}.allocatable.count`, allocatable?.count)
  const seen = new Set<string>()
  for (const key of topologyKeys) {
    if (key === '') errors.push(required(path))
    if (seen.has(key)) errors.push(duplicate(path, key))
    seen.add(key)
    checkName(errors, path, key, isQualifiedName)
  }
}
