// Files that flags name: what is wrong with one is said with its flag.
import { readFile } from 'node:fs/promises'
import { CodedError } from './coded-error.ts'

export async function readFlagFile(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw badFile(flag, file, `cannot be read: ${messageOf(error)}`, 'Check the path and its permissions.', error)
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const badFile = (flag: string, file: string, why: string, hint: string, cause?: unknown): CodedError =>
  new CodedError('BadFile', `--${flag} ${file} ${why}`, hint, { cause })
