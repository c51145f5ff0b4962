// The static token file as kube-apiserver reads it: CSV lines token,user,uid[,"group1,group2"].
import { readFile } from 'node:fs/promises'
import type { UserInfo } from '../apiserver/apiserver.ts'
import { CodedError } from './coded-error.ts'

function splitCsv(line: string): string[] {
  const fields: string[] = []
  const pattern = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/gy
  while (pattern.lastIndex < line.length) {
    const match = pattern.exec(line)
    if (!match) break
    fields.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').trim())
  }
  return fields
}

export function parseTokenFile(text: string, file: string): Map<string, UserInfo> {
  const tokens = new Map<string, UserInfo>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [token, name, uid, groups = ''] = splitCsv(line)
    if (token === undefined || token === '' || name === undefined || name === '' || uid === undefined) {
      throw new CodedError(
        'BadFile',
        `${file}, line ${String(index + 1)}: needs at least three fields`,
        'Write: token,user name,user uid,"group1,group2"',
      )
    }
    tokens.set(token, {
      name,
      uid,
      groups: [
        ...groups
          .split(',')
          .map((group) => group.trim())
          .filter((group) => group !== ''),
        'system:authenticated',
      ],
    })
  }
  return tokens
}

export async function readTokenFile(file: string): Promise<Map<string, UserInfo>> {
  try {
    return parseTokenFile(await readFile(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError(
      'BadFile',
      `--token-auth-file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Check the path and its permissions.',
      { cause: error },
    )
  }
}
