// Validation of pod volumes.
import type { Volume } from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from '../../validation/names.ts'
import { checkQuantity } from '../../validation/quantity.ts'
import { unsupported } from '../../validation/values.ts'
import { checkDownwardFile } from './downward-api.ts'
import { checkNetworkVolume } from './network-volumes.ts'
import { checkFileMode, checkNoBacksteps } from './paths.ts'
import { checkItems } from './key-items.ts'
import { checkProjectedVolume } from './projected-volume.ts'

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

/** The fields of a volume that say where its content comes from, in the order Kubernetes looks at them. */
const sources = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[]

/** Checks all volumes and returns the valid ones by name. */
export function checkVolumes(
  errors: FieldError[],
  path: string,
  volumes: readonly Volume[],
  podName: string | undefined,
): Map<string, Volume> {
  const byName = new Map<string, Volume>()
  const ephemeralClaims = new Set(
    podName === undefined
      ? []
      : volumes.filter((volume) => volume.ephemeral).map((volume) => `${podName}-${volume.name}`),
  )
  volumes.forEach((volume, index) => {
    const at = `${path}[${String(index)}]`
    const found: FieldError[] = []
    checkSource(found, at, volume, podName)
    if (!volume.name) found.push(required(`${at}.name`))
    else checkName(found, `${at}.name`, volume.name, isDnsLabel)
    if (byName.has(volume.name)) found.push(duplicate(`${at}.name`, volume.name))
    if (found.length === 0) byName.set(volume.name, volume)
    else errors.push(...found)
    const claimName = volume.persistentVolumeClaim?.claimName
    if (claimName !== undefined && ephemeralClaims.has(claimName)) {
      errors.push(
        invalidValue(
          `${at}.persistentVolumeClaim.claimName`,
          claimName,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      )
    }
  })
  return byName
}

function checkSource(errors: FieldError[], at: string, volume: Volume, podName: string | undefined): void {
  const present = sources.filter((source) => volume[source] !== undefined)
  if (present.length === 0) errors.push(required(at, 'must specify a volume type'))
  for (const extra of present.slice(1))
    errors.push(forbiddenField(`${at}.${extra}`, 'may not specify more than 1 volume type'))
  const [source] = present
  if (source === undefined) return
  if (!checkLocalSource(errors, `${at}.${source}`, source, volume))
    checkNetworkVolume(errors, `${at}.${source}`, source, volume)
  if (source === 'ephemeral' && podName !== undefined && podName !== '' && volume.name) {
    const claim = `${podName}-${volume.name}`
    for (const problem of isDnsSubdomain(claim)) {
      errors.push(invalidValue(`${at}.name`, volume.name, `PVC name "${claim}": ${problem}`))
    }
  }
}

/** Sources that come from the API or the node itself; false when it is none of them. */
function checkLocalSource(errors: FieldError[], at: string, source: (typeof sources)[number], volume: Volume): boolean {
  switch (source) {
    case 'emptyDir': {
      const { sizeLimit } = volume.emptyDir ?? {}
      const found: FieldError[] = []
      if (sizeLimit !== undefined) checkQuantity(found, `${at}.sizeLimit`, sizeLimit)
      if (found.length > 0)
        errors.push(forbiddenField(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
      return true
    }
    case 'hostPath': {
      const { path = '', type } = volume.hostPath ?? {}
      if (path === '') errors.push(required(`${at}.path`))
      else {
        checkNoBacksteps(errors, `${at}.path`, path)
        if (type !== undefined && !hostPathTypes.includes(type))
          errors.push(unsupported(`${at}.type`, type, hostPathTypes))
      }
      return true
    }
    case 'secret': {
      if (!volume.secret?.secretName) errors.push(required(`${at}.secretName`))
      checkFileMode(errors, `${at}.defaultMode`, volume.secret?.defaultMode)
      checkItems(errors, at, volume.secret?.items)
      return true
    }
    case 'configMap': {
      if (!volume.configMap?.name) errors.push(required(`${at}.name`))
      checkFileMode(errors, `${at}.defaultMode`, volume.configMap?.defaultMode)
      checkItems(errors, at, volume.configMap?.items)
      return true
    }
    case 'downwardAPI': {
      checkFileMode(errors, `${at}.defaultMode`, volume.downwardAPI?.defaultMode)
      for (const file of volume.downwardAPI?.items ?? []) checkDownwardFile(errors, at, file)
      return true
    }
    case 'projected': {
      if (volume.projected !== undefined) checkProjectedVolume(errors, at, volume.projected)
      return true
    }
    case 'persistentVolumeClaim': {
      if (!volume.persistentVolumeClaim?.claimName) errors.push(required(`${at}.claimName`))
      return true
    }
    default:
      return false
  }
}
