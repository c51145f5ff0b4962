// Validation of volume sources that some driver provides: required fields by table, the few rules beyond that by hand.
import type { Volume } from '../../../../common/api/generated/types.ts'
import { invalidValue, notSupported, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkName, isDnsSubdomain } from '../../validation/names.ts'
import { checkOptionalOneOf } from '../../validation/values.ts'
import { checkClaimSpec } from './claim-spec.ts'
import { checkDescendingPath } from './paths.ts'

const requiredFields: Partial<Record<keyof Volume, readonly string[]>> = {
  gitRepo: ['repository'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  glusterfs: ['endpoints', 'path'],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  quobyte: ['registry', 'volume'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  storageos: ['volumeName'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  csi: ['driver'],
  image: ['reference'],
  ephemeral: ['volumeClaimTemplate'],
}

const isMissing = (value: unknown): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

export function checkNetworkVolume(errors: FieldError[], at: string, source: keyof Volume, volume: Volume): void {
  const fields = Object.entries(volume[source] ?? {})
  for (const field of requiredFields[source] ?? []) {
    const [, value] = fields.find(([name]) => name === field) ?? []
    if (isMissing(value)) errors.push(required(`${at}.${field}`))
  }
  const { nfs, iscsi, fc, gitRepo, csi, flexVolume, flocker, azureDisk, image, ephemeral } = volume
  if (gitRepo?.directory !== undefined) checkDescendingPath(errors, `${at}.directory`, gitRepo.directory)
  if (nfs !== undefined && !(nfs.path || '').startsWith('/'))
    errors.push(invalidValue(`${at}.path`, nfs.path, 'must be an absolute path'))
  if (iscsi !== undefined) {
    checkRange(errors, `${at}.lun`, iscsi.lun, 0, 255)
    if (iscsi.iqn && !/^(iqn|eui|naa)/.test(iscsi.iqn)) {
      errors.push(invalidValue(`${at}.iqn`, iscsi.iqn, 'must be valid format starting with iqn, eui, or naa'))
    }
    if ((iscsi.chapAuthDiscovery === true || iscsi.chapAuthSession === true) && iscsi.secretRef === undefined) {
      errors.push(required(`${at}.secretRef`))
    }
  }
  if (fc !== undefined) {
    const names = (fc.targetWWNs ?? []).length
    const ids = (fc.wwids ?? []).length
    if (names === 0 && ids === 0)
      errors.push(required(`${at}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
    if (names > 0 && ids > 0) {
      errors.push(
        invalidValue(`${at}.targetWWNs`, fc.targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'),
      )
    }
    if (names > 0 && fc.lun === undefined)
      errors.push(required(`${at}.lun`, 'lun is required if targetWWNs is specified'))
    else if (names > 0) checkRange(errors, `${at}.lun`, fc.lun, 0, 255)
  }
  if (flocker !== undefined) {
    if (!flocker.datasetName && !flocker.datasetUUID)
      errors.push(required(at, 'one of datasetName and datasetUUID is required'))
    if (flocker.datasetName && flocker.datasetUUID) {
      errors.push(invalidValue(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
    }
  }
  for (const option of Object.keys(flexVolume?.options ?? {})) {
    if (/\.(kubernetes|k8s)\.io$/.test(`.${option.toLowerCase().split('/')[0] ?? ''}`)) {
      errors.push(invalidValue(`${at}.options[${option}]`, option, 'kubernetes.io and k8s.io namespaces are reserved'))
    }
  }
  if (azureDisk !== undefined) {
    checkOptionalOneOf(errors, `${at}.cachingMode`, azureDisk.cachingMode, ['None', 'ReadOnly', 'ReadWrite'])
    checkOptionalOneOf(errors, `${at}.kind`, azureDisk.kind, ['Dedicated', 'Managed', 'Shared'])
  }
  if (csi?.driver) checkName(errors, `${at}.driver`, csi.driver, isDnsSubdomain)
  if (csi?.nodePublishSecretRef !== undefined && !csi.nodePublishSecretRef.name) {
    errors.push(required(`${at}.nodePublishSecretRef.name`))
  }
  const policies = ['Always', 'IfNotPresent', 'Never']
  if (image !== undefined && !policies.includes(image.pullPolicy ?? '')) {
    errors.push(notSupported(`${at}.pullPolicy`, image.pullPolicy, policies))
  }
  if (ephemeral?.volumeClaimTemplate !== undefined) {
    checkClaimSpec(errors, `${at}.volumeClaimTemplate.spec`, ephemeral.volumeClaimTemplate.spec)
  }
}

function checkRange(errors: FieldError[], path: string, value: number | undefined, low: number, high: number): void {
  if (value !== undefined && (value < low || value > high)) {
    errors.push(invalidValue(path, value, `must be between ${String(low)} and ${String(high)}, inclusive`))
  }
}
