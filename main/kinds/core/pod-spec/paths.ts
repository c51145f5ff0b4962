// File paths inside volumes: relative, and never upwards.
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'

export function checkNoBacksteps(errors: FieldError[], field: string, path: string): void {
  if (path.split('/').includes('..')) errors.push(invalidValue(field, path, "must not contain '..'"))
}

/** Relative and without "..". */
export function checkDescendingPath(errors: FieldError[], field: string, path: string): void {
  if (path.startsWith('/')) errors.push(invalidValue(field, path, 'must be a relative path'))
  checkNoBacksteps(errors, field, path)
}

/** Also not starting with "..", which the atomic writer of volumes reserves. */
export function checkUnreservedPath(errors: FieldError[], field: string, path: string): void {
  checkDescendingPath(errors, field, path)
  if (path.startsWith('..') && !path.startsWith('../') && path !== '..') {
    errors.push(invalidValue(field, path, "must not start with '..'"))
  }
}

export function checkFileMode(errors: FieldError[], field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    errors.push(invalidValue(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
  }
}
