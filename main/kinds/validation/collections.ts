// Lists of limited length, and lists that are sets. Where the length is exceeded nothing else is looked at.
import { duplicate, tooMany, type FieldError } from '../../../common/machinery/field-error.ts'

type CheckItem<T> = (item: T, path: string) => void

export function checkList<T>(
  errors: FieldError[],
  path: string,
  { items = [], max = Number.POSITIVE_INFINITY }: { readonly items: readonly T[] | undefined; readonly max?: number },
  check: CheckItem<T>,
): boolean {
  if (items.length > max) {
    errors.push(tooMany(path, items.length, max))
    return false
  }
  items.forEach((item, index) => {
    check(item, `${path}[${String(index)}]`)
  })
  return true
}

/** Whether both lists say the same in the same order; a list that is absent is empty. */
export const sameElements = <T>(a: readonly T[] = [], b: readonly T[] = []): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

/** As checkList, and no two items have the same key. */
export function checkSet<T>(
  errors: FieldError[],
  path: string,
  list: { readonly items: readonly T[] | undefined; readonly max?: number; readonly key: (item: T) => string },
  check: CheckItem<T>,
): void {
  if (!checkList(errors, path, list, check)) return
  const seen = new Set<string>()
  list.items?.forEach((item, index) => {
    const key = list.key(item)
    if (seen.has(key)) errors.push(duplicate(`${path}[${String(index)}]`, key))
    seen.add(key)
  })
}
