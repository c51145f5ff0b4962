// Reads Debian's index files: the SHA-256 list of a Release file and the stanzas of a Packages file (deb822).
export type DebianArch = 'amd64' | 'arm64'

export interface DebianPackage {
  name: string
  version: string
  arch: string
  /** Path below the mirror. */
  filename: string
  sha256: string
  size: number
}

/** Path -> {sha256, size} out of a Release (or the body of an InRelease) file. */
export function parseRelease(text: string): Map<string, { sha256: string; size: number }> {
  const files = new Map<string, { sha256: string; size: number }>()
  let within = false
  for (const line of text.split('\n')) {
    if (!line.startsWith(' ')) within = line.startsWith('SHA256:')
    else if (within) {
      const [sha256, size, path] = line.trim().split(/\s+/)
      if (sha256 !== undefined && path !== undefined) files.set(path, { sha256, size: Number(size) })
    }
  }
  return files
}

/** The wanted packages of a Packages file; the first stanza with the highest version wins. Names not found are absent. */
export function findPackages(text: string, wanted: ReadonlySet<string>): Map<string, DebianPackage> {
  const found = new Map<string, DebianPackage>()
  let start = 0
  while (start < text.length) {
    const blank = text.indexOf('\n\n', start)
    const end = blank === -1 ? text.length : blank
    // "Package:" is the first field of a stanza: most stanzas are skipped without being cut out.
    if (text.startsWith('Package: ', start)) {
      const lineEnd = text.indexOf('\n', start)
      const name = text.slice(start + 9, lineEnd)
      if (wanted.has(name)) {
        const parsed = parseStanza(text.slice(start, end))
        const known = found.get(name)
        if (parsed !== undefined && (known === undefined || compareVersions(parsed.version, known.version) > 0))
          found.set(name, parsed)
      }
    }
    start = end + 2
  }
  return found
}

function parseStanza(stanza: string): DebianPackage | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]
  const [name, version, arch, filename, sha256] = [
    field('Package'),
    field('Version'),
    field('Architecture'),
    field('Filename'),
    field('SHA256'),
  ]
  if (
    name === undefined ||
    version === undefined ||
    arch === undefined ||
    filename === undefined ||
    sha256 === undefined
  )
    return undefined
  return { name, version, arch, filename, sha256, size: Number(field('Size')) }
}

/** The packages that a meta package depends on exactly or alone ("linux-image-cloud-amd64" -> "linux-image-6.12.107+deb13-cloud-amd64"). */
export function dependencyNames(text: string, name: string): string[] {
  const at = text.startsWith(`Package: ${name}\n`) ? 0 : text.indexOf(`\n\nPackage: ${name}\n`)
  if (at === -1) return []
  const end = text.indexOf('\n\n', at + 2)
  const stanza = text.slice(at, end === -1 ? text.length : end)
  const depends = /^Depends: (.*)$/m.exec(stanza)?.[1] ?? ''
  return depends.split(',').map((part) => part.trim().split(/[\s(]/)[0] ?? '')
}

/** Debian's version order (deb-version(7)): epoch, upstream, revision; '~' sorts before everything, letters before other signs. */
export function compareVersions(a: string, b: string): number {
  const left = splitVersion(a)
  const right = splitVersion(b)
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  )
}

function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(':')
  const rest = version.slice(colon + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: colon === -1 ? 0 : Number(version.slice(0, colon)),
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  }
}

function compareParts(a: string, b: string): number {
  const weight = (char: string | undefined): number =>
    char === undefined || /\d/.test(char)
      ? 0
      : char === '~'
        ? -1
        : /[A-Za-z]/.test(char)
          ? char.charCodeAt(0)
          : char.charCodeAt(0) + 256
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !/\d/.test(a.charAt(i))) || (j < b.length && !/\d/.test(b.charAt(j)))) {
      const difference = weight(a[i]) - weight(b[j])
      if (difference !== 0) return difference
      if (i < a.length) i++
      if (j < b.length) j++
    }
    const left = /^\d*/.exec(a.slice(i))?.[0] ?? ''
    const right = /^\d*/.exec(b.slice(j))?.[0] ?? ''
    const difference = Number(left) - Number(right)
    if (difference !== 0) return difference
    i += left.length
    j += right.length
  }
  return 0
}
