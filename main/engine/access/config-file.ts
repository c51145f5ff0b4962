// Configuration files of apiserver.config.k8s.io: read, recognized, and read again when they change.
import { unwatchFile, watchFile } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { badFile, messageOf, readFlagFile } from '../flag-files.ts'

const group = 'apiserver.config.k8s.io'
/** How often a file is looked at, as far as the system does not tell by itself. */
const lookMs = 1000

/** Throws an Error that says what it is instead. */
export function parseConfig(text: string, kind: string): Readonly<Record<string, unknown>> {
  const value: unknown = parseYaml(text)
  if (typeof value !== 'object' || value === null) throw new Error(`is no ${kind}`)
  const { apiVersion, kind: given } = value as { apiVersion?: unknown; kind?: unknown }
  if (given !== kind || !['v1', 'v1beta1', 'v1alpha1'].some((version) => apiVersion === `${group}/${version}`))
    throw new Error(`is no ${kind} of ${group}/v1 but ${String(given)} of ${String(apiVersion)}`)
  return value as Readonly<Record<string, unknown>>
}

export async function readConfigFile<T>(
  flag: string,
  file: string,
  parse: (text: string) => T | Promise<T>,
): Promise<T> {
  const text = await readFlagFile(flag, file)
  try {
    return await parse(text)
  } catch (error) {
    throw badFile(flag, file, `cannot be used: ${messageOf(error)}`, 'See the Kubernetes documentation.', error)
  }
}

/** Returns how to stop. */
export function onFileChange(file: string, changed: () => void): () => void {
  const listener = (): void => {
    changed()
  }
  watchFile(file, { interval: lookMs, persistent: false }, listener)
  return () => {
    unwatchFile(file, listener)
  }
}
