// VolumeAttachment: the wish to have a volume attached to a node, and how that went.
import type { VolumeAttachmentSource, VolumeError } from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  required,
  tooLong,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { byteLength, rangeMessage } from '../../../common/machinery/names.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkName, isDnsSubdomain } from '../validation/names.ts'
import { checkDriverName } from './driver-name.ts'

const maxMetadataBytes = 262_144
const maxErrorBytes = 1024
const maxErrorCode = 2_147_483_647

export const volumeAttachment = defineKind('storage.k8s.io/v1/volumeattachments', {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  tracksGeneration: false,
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= { attached: false }
  },
  validate: ({ spec }, _context, old) => {
    const errors: FieldError[] = []
    const { attacher = '', source = {}, nodeName = '' } = spec ?? {}
    if (attacher === '') errors.push(required('spec.attacher'))
    checkSource(errors, 'spec.source', source)
    checkName(errors, 'spec.nodeName', nodeName, isDnsSubdomain)
    if (old !== undefined) return errors
    checkDriverName(errors, 'spec.attacher', attacher)
    if (source.persistentVolumeName !== undefined)
      checkName(errors, 'spec.source.persistentVolumeName', source.persistentVolumeName, isDnsSubdomain)
    return errors
  },
  update: mainDoor(({ spec }, { spec: old }) =>
    semanticEqual(spec, old) ? [] : [invalidValue('spec', spec, 'field is immutable')],
  ),
  status: statusDoor({
    validate: ({ status }) => {
      const errors: FieldError[] = []
      const { attachmentMetadata = {}, attachError, detachError } = status ?? {}
      const bytes = Object.entries(attachmentMetadata).reduce(
        (sum, [key, value]) => sum + byteLength(key) + byteLength(value),
        0,
      )
      if (bytes > maxMetadataBytes) errors.push(tooLong('status.attachmentMetadata', maxMetadataBytes))
      checkError(errors, 'status.attachError', attachError)
      checkError(errors, 'status.detachError', detachError)
      return errors
    },
  }),
  columns: [
    nameColumn,
    { name: 'Attacher', type: 'string', format: 'name', cell: ({ spec }) => spec?.attacher ?? '' },
    { name: 'PV', type: 'string', cell: ({ spec }) => spec?.source?.persistentVolumeName ?? '' },
    { name: 'Node', type: 'string', cell: ({ spec }) => spec?.nodeName ?? '' },
    { name: 'Attached', type: 'boolean', cell: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
})

function checkSource(errors: FieldError[], path: string, source: VolumeAttachmentSource): void {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inline === undefined && name === undefined) errors.push(required(path, one))
  else if (inline !== undefined && name !== undefined) errors.push(forbiddenField(path, one))
  else if (name === '')
    errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
  else if (inline !== undefined) {
    if ((inline.accessModes ?? []).length === 0) {
      const detail = 'must specify at least one access mode'
      errors.push(required(`${path}.inlineVolumeSpec.accessModes`, detail))
    }
    if (inline.csi === undefined) {
      errors.push(required(`${path}.inlineVolumeSpec.csi`, 'has to be specified in the context of CSI migration'))
    }
  }
}

function checkError(errors: FieldError[], path: string, error: VolumeError | undefined): void {
  const { message = '', errorCode = 0 } = error ?? {}
  if (byteLength(message) > maxErrorBytes) errors.push(tooLong(`${path}.message`, maxErrorBytes))
  if (errorCode < 0) errors.push(invalidValue(`${path}.errorCode`, errorCode, rangeMessage(0, maxErrorCode)))
}
