// Validation of where containers mount volumes and block devices.
import type { Container, EphemeralContainer, VolumeMount } from '../../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notFoundField,
  notSupported,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { checkDescendingPath, checkNoBacksteps } from './paths.ts'
import type { PodSpecScope } from './scope.ts'

type AnyContainer = Container | EphemeralContainer

export function checkMounts({ errors, volumes }: PodSpecScope, path: string, container: AnyContainer): void {
  const seen = new Set<string>()
  const devices = container.volumeDevices ?? []
  container.volumeMounts?.forEach((mount, index) => {
    const at = `${path}[${String(index)}]`
    const { name, mountPath, subPath = '', subPathExpr = '' } = mount
    if (!name) errors.push(required(`${at}.name`))
    const volume = volumes.get(name)
    if (volume === undefined) errors.push(notFoundField(`${at}.name`, name))
    if (!mountPath) errors.push(required(`${at}.mountPath`))
    if (seen.has(mountPath)) errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must be unique'))
    seen.add(mountPath)
    if (devices.some((device) => device.name === name)) {
      errors.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    if (subPath !== '') checkDescendingPath(errors, `${path}.subPath`, subPath)
    if (subPathExpr !== '') {
      if (subPath !== '')
        errors.push(invalidValue(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      checkDescendingPath(errors, `${path}.subPathExpr`, subPathExpr)
    }
    checkPropagation(errors, path, mount, container.securityContext?.privileged === true)
  })
}

function checkPropagation(errors: FieldError[], path: string, mount: VolumeMount, privileged: boolean): void {
  const { mountPropagation, recursiveReadOnly, readOnly } = mount
  if (mountPropagation !== undefined) {
    if (!['Bidirectional', 'HostToContainer', 'None'].includes(mountPropagation)) {
      errors.push(
        notSupported(`${path}.mountPropagation`, mountPropagation, ['Bidirectional', 'HostToContainer', 'None']),
      )
    }
    if (mountPropagation === 'Bidirectional' && !privileged) {
      const detail = 'Bidirectional mount propagation is available only to privileged containers'
      errors.push(forbiddenField(`${path}.mountPropagation`, detail))
    }
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return
  const at = `${path}.recursiveReadOnly`
  if (recursiveReadOnly === 'Enabled' || recursiveReadOnly === 'IfPossible') {
    if (readOnly !== true) errors.push(forbiddenField(at, 'may only be specified when readOnly is true'))
    if (mountPropagation !== undefined && mountPropagation !== 'None') {
      errors.push(forbiddenField(at, 'may only be specified when mountPropagation is None or not specified'))
    }
  } else {
    errors.push(notSupported(at, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']))
  }
}

export function checkDevices({ errors, volumes }: PodSpecScope, path: string, container: AnyContainer): void {
  const paths = new Set<string>()
  const names = new Set<string>()
  const mounts = container.volumeMounts ?? []
  container.volumeDevices?.forEach(({ name, devicePath }, index) => {
    const at = `${path}[${String(index)}]`
    const volume = volumes.get(name)
    if (!name) errors.push(required(`${at}.name`))
    if (names.has(name)) errors.push(invalidValue(`${at}.name`, name, 'must be unique'))
    if (volume === undefined) errors.push(notFoundField(`${at}.name`, name))
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
      errors.push(invalidValue(`${at}.name`, name, detail))
    }
    if (!devicePath) errors.push(required(`${at}.devicePath`))
    if (paths.has(devicePath)) errors.push(invalidValue(`${at}.devicePath`, devicePath, 'must be unique'))
    const backsteps: FieldError[] = []
    checkNoBacksteps(backsteps, '', devicePath)
    if (backsteps.length > 0)
      errors.push(invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"))
    else paths.add(devicePath)
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeMounts'))
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      errors.push(invalidValue(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
    }
    names.add(name)
  })
}
