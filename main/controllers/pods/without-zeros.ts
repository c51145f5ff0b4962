/**
 * The status as Go programs write it: counts that are zero are left out, but for those in `always`. It reads back the same, and
 * people compare what kubectl prints.
 */
export function withoutZeros<T extends object>(status: T, always: readonly (keyof T & string)[]): T {
  const kept: readonly string[] = always
  // What is left out is optional in T: the callers' `always` has the others.
  return Object.fromEntries(Object.entries(status).filter(([key, value]) => value !== 0 || kept.includes(key))) as T
}
