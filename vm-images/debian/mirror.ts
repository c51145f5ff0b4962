// Which Debian mirror to use: ORRERY_DEBIAN_MIRROR, else the one the host's own apt uses, else deb.debian.org.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const defaultMirror = 'http://deb.debian.org/debian'

export async function findMirror(options: { env?: NodeJS.ProcessEnv; aptFolder?: string } = {}): Promise<string> {
  const chosen = (options.env ?? process.env)['ORRERY_DEBIAN_MIRROR']
  if (chosen !== undefined && chosen !== '') return chosen.replace(/\/+$/, '')
  const folder = options.aptFolder ?? '/etc/apt'
  const texts: { name: string; text: string }[] = []
  const read = async (path: string): Promise<void> => {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text !== undefined) texts.push({ name: path, text })
  }
  await read(join(folder, 'sources.list'))
  const parts = await readdir(join(folder, 'sources.list.d')).catch(() => [])
  for (const part of parts.sort()) await read(join(folder, 'sources.list.d', part))
  for (const { name, text } of texts) {
    const uris = name.endsWith('.sources') ? deb822Uris(text) : oneLineUris(text)
    const debian = uris.find(isDebianArchive)
    if (debian !== undefined) return debian.replace(/\/+$/, '')
  }
  return defaultMirror
}

/** The main archive ends in /debian; security, updates of other vendors and local repositories do not. */
const isDebianArchive = (uri: string): boolean => /^https?:\/\/.*\/debian\/?$/.test(uri)

/** `deb [options] URI suite components…` */
function oneLineUris(text: string): string[] {
  const uris: string[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)/.exec(line)
    if (match?.[1] !== undefined) uris.push(match[1])
  }
  return uris
}

function deb822Uris(text: string): string[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    if (!/^Types:.*\bdeb\b/m.test(stanza) || /^Enabled:\s*no/im.test(stanza)) return []
    return /^URIs:\s*(.*)$/m.exec(stanza)?.[1]?.trim().split(/\s+/) ?? []
  })
}
