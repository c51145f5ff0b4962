// Validation of projected volumes: several sources in one directory.
import type { ProjectedVolumeSource, VolumeProjection } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkLabelSelector } from '../../validation/label-selector.ts'
import { checkDownwardFile } from './downward-api.ts'
import { checkFileMode, checkUnreservedPath } from './paths.ts'
import { checkItems } from './key-items.ts'

const sources = [
  'secret',
  'configMap',
  'downwardAPI',
  'serviceAccountToken',
  'clusterTrustBundle',
  'podCertificate',
] as const

export function checkProjectedVolume(errors: FieldError[], at: string, volume: ProjectedVolumeSource): void {
  checkFileMode(errors, `${at}.defaultMode`, volume.defaultMode)
  const paths = new Set<string>()
  const claimPath = (path: string | undefined, owner: string): void => {
    if (path === undefined || path === '') return
    if (paths.has(path)) errors.push(invalidValue(at, owner, 'conflicting duplicate paths'))
    paths.add(path)
  }
  volume.sources?.forEach((source, index) => {
    const sourcePath = `${at}.sources[${String(index)}]`
    checkProjection(errors, at, sourcePath, source)
    for (const item of source.secret?.items ?? []) claimPath(item.path, source.secret?.name ?? '')
    for (const item of source.configMap?.items ?? []) claimPath(item.path, source.configMap?.name ?? '')
    for (const item of source.downwardAPI?.items ?? []) claimPath(item.path, item.path)
    claimPath(source.clusterTrustBundle?.path, source.clusterTrustBundle?.path ?? '')
    if (sources.filter((name) => source[name] !== undefined).length > 1) {
      errors.push(forbiddenField(sourcePath, 'may not specify more than 1 volume type per source'))
    }
  })
}

function checkProjection(errors: FieldError[], at: string, sourcePath: string, source: VolumeProjection): void {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = source
  if (secret !== undefined) {
    if (!secret.name) errors.push(required(`${sourcePath}.secret.name`))
    checkItems(errors, `${sourcePath}.secret`, secret.items)
  }
  if (configMap !== undefined) {
    if (!configMap.name) errors.push(required(`${sourcePath}.configMap.name`))
    checkItems(errors, `${sourcePath}.configMap`, configMap.items)
  }
  for (const file of downwardAPI?.items ?? []) checkDownwardFile(errors, `${sourcePath}.downwardAPI`, file)
  if (serviceAccountToken !== undefined) {
    const { expirationSeconds = 3600, path } = serviceAccountToken
    const expiration = `${sourcePath}.serviceAccountToken.expirationSeconds`
    if (expirationSeconds < 600)
      errors.push(invalidValue(expiration, expirationSeconds, 'may not specify a duration less than 10 minutes'))
    if (expirationSeconds > 2 ** 32) {
      errors.push(invalidValue(expiration, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'))
    }
    if (!path) errors.push(required(`${at}.path`))
    else checkUnreservedPath(errors, `${at}.path`, path)
  }
  if (clusterTrustBundle !== undefined) {
    const bundlePath = `${sourcePath}.clusterTrustBundle`
    const { name, signerName, labelSelector, path } = clusterTrustBundle
    if (name !== undefined && signerName !== undefined) {
      errors.push(invalidValue(bundlePath, clusterTrustBundle, 'only one of name and signerName may be used'))
    } else if (name !== undefined) {
      if (name === '') errors.push(required(`${bundlePath}.name`, 'must be a valid object name'))
      if (labelSelector !== undefined) {
        errors.push(
          invalidValue(
            `${bundlePath}.labelSelector`,
            labelSelector,
            'labelSelector must be unset if name is specified',
          ),
        )
      }
    } else if (signerName !== undefined) {
      if (signerName === '') errors.push(required(`${bundlePath}.signerName`, 'must be a valid signer name'))
      checkLabelSelector(errors, `${bundlePath}.labelSelector`, labelSelector)
    } else {
      errors.push(required(bundlePath, 'either name or signerName must be specified'))
    }
    if (!path) errors.push(required(`${bundlePath}.path`))
    else checkUnreservedPath(errors, `${bundlePath}.path`, path)
  }
}
