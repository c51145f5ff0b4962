// Which keys of a ConfigMap or Secret become which files.
import type { KeyToPath } from '../../../../common/api/generated/types.ts'
import { required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkFileMode, checkUnreservedPath } from './paths.ts'

export function checkItems(errors: FieldError[], at: string, items: readonly KeyToPath[] | undefined): void {
  items?.forEach(({ key, path, mode }, index) => {
    const item = `${at}.items[${String(index)}]`
    if (!key) errors.push(required(`${item}.key`))
    if (!path) errors.push(required(`${item}.path`))
    else checkUnreservedPath(errors, `${item}.path`, path)
    checkFileMode(errors, `${item}.mode`, mode)
  })
}
